"""From image to image of a list in a large view: by buttons, arrow keys, or to a place."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.dataset_page.gallery import Indices
from app.dataset_page.grid import Pages


class Walk:
    """Which image a large view shows, and of which list; the session keeps it."""

    def __init__(self, key: str) -> None:
        """A walk of its own for each kind of large view.

        Args:
            key: Begins the keys of its widgets and of what the session keeps.
        """
        self._key = key

    @property
    def index(self) -> int | None:
        """The image that is shown, or was last."""
        index: int | None = st.session_state.get(f"{self._key}_index")
        return index

    @property
    def last(self) -> int | None:
        """The image of the list that was shown last."""
        place = self._seen()
        return None if place is None else int(self._list()[0][place])

    def start(self, index: int, among: Indices, pages: Pages | None = None) -> None:
        """Begins at an image of a list.

        Args:
            index: The image.
            among: The list, in its order.
            pages: Where the list is shown, unless that goes by other things than images.
        """
        st.session_state[f"{self._key}_list"] = (among, pages)
        st.session_state[f"{self._key}_seen"] = None
        self.go(index)

    def go(self, index: int) -> None:
        """Goes to an image, of the list or another."""
        st.session_state[f"{self._key}_index"] = index
        place = self._place(index)
        if place is not None:
            st.session_state[f"{self._key}_seen"] = place

    def close(self) -> None:
        """Turns the pages of the list to the image shown last; a callback."""
        place, pages = self._seen(), self._list()[1]
        if place is not None and pages is not None:
            pages.turn_to(place)

    def resumed(self, among: Indices) -> int:
        """Where to begin a list that was perhaps looked at before: at its image shown last.

        Args:
            among: The list, not empty.
        """
        last = self.last
        return last if last is not None and last in among else int(among[0])

    def steps(self, index: int) -> None:
        """The way on to other images of the list, or back to it.

        Args:
            index: The image that is shown.
        """
        number = len(self._list()[0])
        place = self._seen() or 0
        if self._place(index) is None:
            self._button("Back to the list", "back", "arrow_back", place, "Left")
        elif number > 1:
            with st.container(horizontal=True, vertical_alignment="center"):
                self._button("Previous", "before", "navigate_before", place - 1, "Left")
                self._button("Next", "after", "navigate_next", place + 1, "Right")
                st.session_state[f"{self._key}_place"] = place + 1
                st.number_input(
                    "Place in the list",
                    1,
                    number,
                    key=f"{self._key}_place",
                    on_change=self._to_place,
                    label_visibility="collapsed",
                    width=120,
                )
                st.caption(f"of {number:,}", width="content")

    def _button(self, title: str, name: str, icon: str, to: int, shortcut: str) -> None:
        listed, _ = self._list()
        there = 0 <= to < len(listed)
        st.button(
            title,
            key=f"{self._key}_{name}",
            icon=f":material/{icon}:",
            shortcut=shortcut,
            disabled=not there,
            on_click=self.go,
            args=(int(listed[to]) if there else 0,),
        )

    def _list(self) -> tuple[Indices, Pages | None]:
        kept: tuple[Indices, Pages | None] = st.session_state[f"{self._key}_list"]
        return kept

    def _place(self, index: int) -> int | None:
        found = np.flatnonzero(self._list()[0] == index)
        return int(found[0]) if len(found) else None

    def _seen(self) -> int | None:
        """The place of the image of the list that is shown, or was last."""
        place: int | None = st.session_state.get(f"{self._key}_seen")
        return place

    def _to_place(self) -> None:
        place = st.session_state[f"{self._key}_place"]
        if place is not None:  # an emptied input asks for nothing
            self.go(int(self._list()[0][place - 1]))
