"""A grid of faces to look through and choose from: one picture, one component.

Hundreds of image elements and buttons would take Streamlit seconds. Here a
single picture is cut up by the browser, into buttons that the keyboard reaches
and a screen reader names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import streamlit as st

_STYLE = """
.faces { display: grid; gap: 8px; margin: 0; padding: 2px;
  grid-template-columns: repeat(auto-fill, minmax(min(var(--cell), 21%), 1fr)); }
button { all: unset; cursor: pointer; display: block; min-width: 0; border-radius: 8px; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.face { display: block; position: relative; border-radius: 6px; border-bottom: 4px solid;
  background-repeat: no-repeat; }
button[aria-current] { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
button:hover .face { filter: brightness(1.12); }
.excluded .face { opacity: .35; }
.state { position: absolute; right: 3px; top: 3px; padding: 0 5px; border-radius: 5px;
  font: 600 11px/16px var(--st-font); color: #fff; background: rgba(0, 0, 0, .72); }
.note { display: block; font: 12px/1.5 var(--st-font); color: var(--st-text-color);
  text-align: center; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
"""

# Everything from outside enters as text or a style, never as HTML.
_SCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".faces")
  root.style.setProperty("--cell", data.cell + "px")
  // The button in focus is about to go: without one, Escape would not close a dialog any more.
  const inside = root.getRootNode()
  const focused = inside.activeElement
  const focus = index => {
    const button = [...root.children].find(button => button.dataset.index === index)
    ;(button ?? root.firstElementChild)?.focus({ preventScroll: true })
  }
  const percent = (at, of) => of > 1 ? (100 * at / (of - 1)) + "%" : "0%"
  root.replaceChildren(...data.items.map((item, place) => {
    const button = document.createElement("button")
    button.type = "button"
    button.setAttribute("aria-label", item.label)
    button.title = item.label
    button.dataset.index = item.index
    button.className = item.state.includes("excluded") ? "excluded" : ""
    const face = document.createElement("span")
    face.className = "face"
    face.style.aspectRatio = data.ratio
    face.style.borderColor = item.color
    face.style.backgroundImage = `url(${data.sprite})`
    face.style.backgroundSize = `${100 * data.columns}% ${100 * data.rows}%`
    face.style.backgroundPosition = percent(place % data.columns, data.columns) + " " +
      percent(Math.floor(place / data.columns), data.rows)
    if (item.state) {
      const state = document.createElement("span")
      state.className = "state"
      state.textContent = item.state.includes("excluded") ? "out" : "new label"
      face.append(state)
    }
    const note = document.createElement("span")
    note.className = "note"
    note.textContent = item.note
    button.append(face, note)
    if (item.index === data.current) button.setAttribute("aria-current", "true")
    button.onclick = () => setTriggerValue("chosen", item.index)
    return button
  }))
  // A dialog gives the focus back to the element that had it, and knows none inside this one.
  inside.host.tabIndex = -1
  inside.host.onfocus = () => inside.activeElement ?? focus(root.dataset.current)
  // Who went on to another image at large finds it when the large view is closed.
  const current = String(data.current ?? "")
  const moved = ![undefined, current].includes(root.dataset.current)
  if (moved) root.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" })
  if (focused) focus(moved ? current : focused.dataset.index)
  root.dataset.current = current
}
"""


@dataclass(frozen=True)
class Pages:
    """How a long list is shown a page at a time.

    Attributes:
        key: Of the input of the page, which counts from 1; another list under another key begins
            at its first page.
        size: How many make a page.
        bind: `query-params` if the page is to stand in the address.
    """

    key: str
    size: int
    bind: Literal["query-params"] | None = None

    def shown(self, number: int) -> slice:
        """The part of a list that is on the page wanted; of a short list there is no choice.

        Args:
            number: How many there are in all.
        """
        last = max(1, -(-number // self.size))
        page = 1
        if last > 1:
            # Of fewer images there may be no such page any more.
            if st.session_state.get(self.key, 1) > last:
                st.session_state[self.key] = last
            page = int(
                st.number_input(
                    f"Page of {last:,}", 1, last, key=self.key, bind=self.bind, width=150
                )
            )
        return slice((page - 1) * self.size, page * self.size)

    def turn_to(self, place: int) -> None:
        """Lets the page be shown that a place of the list is on; for callbacks."""
        st.session_state[self.key] = place // self.size + 1


def faces(
    sheet: dict[str, Any], *, key: str, cell: int = 76, current: int | None = None
) -> int | None:
    """Shows faces.

    Args:
        sheet: From `app.dataset_page.gallery.sheet`.
        key: Of the component.
        cell: The least width of a face in pixels; four always fit side by side.
        current: The index of the image that was at large last, which is marked.

    Returns:
        The index of the face that was chosen just now, or `None`.
    """
    result = _component()(
        data={**sheet, "cell": cell, "current": current}, key=key, on_chosen_change=_nothing
    )
    chosen = result.get("chosen")
    return chosen if isinstance(chosen, int) else None


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "ferlab_faces", html='<div class="faces" role="group"></div>', css=_STYLE, js=_SCRIPT
    )


def _nothing() -> None:
    """Streamlit wants a callback for each trigger; the rerun is all that is needed."""
