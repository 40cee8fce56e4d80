"""Small views that every page uses: cards, empty states, errors, numbers in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, TypeVar

import streamlit as st

from app.messages import APOLOGY, describe

_Subject = TypeVar("_Subject")

_logger = logging.getLogger(__name__)
_MARKDOWN = re.compile(r"([\\`*_\[\]<>$~#|]|:(?=[a-z]))")

SYNTHETIC_BADGE = ":orange-badge[:material/draw: Synthetic]"
SYNTHETIC_HELP = "Drawn by a program, not photographed: good for trying things, not for results."


def plain(text: str) -> str:
    """Escapes text from outside, such as a file name, for use in Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


@contextmanager
def guarded() -> Iterator[None]:
    """Shows an error as one sentence in place of what could not be shown.

    An error that nobody foresaw becomes a short apology; its details go to the
    log of the server, never into the page.
    """
    try:
        yield
    except Exception as error:
        if describe(error) is None:
            _logger.exception("unforeseen error in a page")
        show_error(error)


def show_error(error: Exception) -> bool:
    """Shows an error as one sentence.

    Returns:
        `True`, which tells Streamlit to show nothing more of it.
    """
    st.error(plain(describe(error) or APOLOGY), icon=":material/error:")
    return True


@contextmanager
def card(title: str, icon: str, *, badges: str = "", key: str | None = None) -> Iterator[None]:
    """A bordered box with a heading.

    Args:
        title: Markdown of the heading.
        icon: Name of a Material symbol.
        badges: Markdown that follows the heading.
        key: A stable name for tests and styles.
    """
    with st.container(border=True, key=key, height="stretch"):
        heading(title, f" {badges}", icon=icon)
        yield


def heading(
    title: str,
    more: str = "",
    *,
    icon: str = "",
    below: str = "",
    level: Literal[2, 3] = 2,
    width: Literal["auto", "stretch", "content"] = "auto",
    align: Literal["left", "center"] = "left",
) -> None:
    """The title of a part of a page: a heading for those who listen to it, bold for others.

    Args:
        title: Markdown.
        more: Markdown that follows the title, in plain type.
        icon: Name of a Material symbol that stands before it; may be empty.
        below: Markdown of a line below it; may be empty.
        level: 2, or 3 for a part of a card and of what has a title of its own.
        width: As Streamlit takes it.
        align: Where the words stand.
    """
    sign = f":material/{icon}: " if icon else ""
    st.markdown(
        f"{'#' * level} {sign}**{title}**{more}" + (f"\n{below}" if below else ""),
        anchors=False,
        width=width,
        text_alignment=align,
    )


@st.fragment
def fold(label: str, icon: str, content: Callable[[], None], *, key: str) -> None:
    """A closed part of a page, which is not made before it is opened.

    Args:
        label: What is in it.
        icon: Name of a Material symbol.
        content: Shows what is in it.
        key: Of the state: whether it is open.
    """
    box = st.expander(label, icon=f":material/{icon}:", key=key, on_change="rerun")
    if box.open:
        with box, guarded():
            content()


def tabs(
    contents: Mapping[str, Callable[[_Subject], None]], subject: _Subject, *, key: str
) -> None:
    """Tabs of which only the open one is made.

    Which is open stands in the address: who reloads the page, comes back to it or
    follows a link finds it open.

    Args:
        contents: What shows each, by title.
        subject: Passed to them.
        key: Of the state, and in the address: the title of the open one.
    """
    boxes = st.tabs(list(contents), key=key, bind="query-params")
    for box, draw in zip(boxes, contents.values(), strict=True):
        if box.open:
            with box, guarded():
                draw(subject)


@contextmanager
def shelf(scrolls: bool, *, height: int, key: str) -> Iterator[None]:
    """A plain box for a number of things, of which a large number scrolls.

    Args:
        scrolls: Whether it keeps to the height.
        height: In pixels.
        key: A stable name for tests and styles.
    """
    with st.container(height=height if scrolls else "content", border=False, key=key):
        yield


def chosen_icon(is_chosen: bool) -> str | None:
    """The icon that tells the button of what is shown from those of the others.

    As a button of another type it would be a new one to the browser, and the
    keyboard would lose its place.
    """
    return ":material/check_circle:" if is_chosen else None


def empty_state(title: str, text: str, *, level: Literal[2, 3] = 2) -> None:
    """Says that something is not there yet and what to do about it.

    Args:
        title: What is not there.
        text: What to do.
        level: Of the title, as in `heading`.
    """
    with st.container(horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        heading(title, level=level, align="center")
        st.caption(text, text_alignment="center")
        st.space("small")


def figure(title: str, words: str, below: str, *, help: str) -> None:
    """A figure in a box of its own.

    Args:
        title: What it is.
        words: Its value.
        below: A short note below it, which is cut off where there is no room; may be empty.
        help: What it means.
    """
    st.metric(
        title,
        words,
        below,
        delta_color="off",
        delta_arrow="off",
        help=help,
        border=True,
        height="stretch",
    )


def offer(
    title: str,
    text: str,
    label: str,
    icon: str,
    *,
    key: str,
    on_click: Callable[..., Any],
    args: tuple[Any, ...],
) -> None:
    """An empty state with the button that begins the work which fills it.

    Args:
        title: What is not there.
        text: What the work is and how long it takes.
        label: Of the button.
        icon: Name of a Material symbol.
        key: Of the button.
        on_click: Begins the work.
        args: Passed to it.
    """
    empty_state(title, text)
    with st.container(horizontal_alignment="center"):
        st.button(
            label,
            key=key,
            type="primary",
            icon=f":material/{icon}:",
            on_click=on_click,
            args=args,
        )
        st.space("small")


def under_way(title: str) -> None:
    """Says that the work which fills this part is being done.

    Args:
        title: What is done.
    """
    empty_state(title, "Its progress is above; this part fills by itself when it is done.")


def not_here(wanted: str) -> None:
    """Says that what the address names is gone; what is shown instead stands below it.

    Args:
        wanted: Its name in the address.
    """
    st.warning(f"Not here any more: {plain(wanted)}.", icon=":material/search_off:")


def empty_page(title: str, text: str, page: str, label: str, icon: str, *, key: str) -> None:
    """An empty state in a box of its own, with the link to where it can be mended.

    Args:
        title: What is not there.
        text: What to do.
        page: The page that the link opens.
        label: Of the link.
        icon: Name of a Material symbol.
        key: A stable name for tests and styles.
    """
    with st.container(border=True, horizontal_alignment="center", key=key):
        empty_state(title, text)
        st.page_link(page, label=label, icon=f":material/{icon}:")
        st.space("small")


def keep_or_delete(delete: Callable[..., None], *args: Any, key: str) -> None:
    """The two buttons that end a dialog which asks before deleting; both close it.

    Args:
        delete: Called when the answer is yes.
        args: Passed to it.
        key: Begins the buttons' keys, `<key>_keep` and `<key>_confirmed`.
    """
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key=f"{key}_keep"):
            st.rerun()
        if st.button(
            "Delete for good", key=f"{key}_confirmed", type="primary", on_click=delete, args=args
        ):
            st.rerun()


def percent(value: float, digits: int = 1) -> str:
    """A share as people write it, which no line's end divides: `71.3 %`."""
    return f"{100 * value:.{digits}f}\u00a0%"


def signed(value: float, digits: int = 1) -> str:
    """A difference, with a sign that is one: `+1.2`, `−0.4`."""
    return f"{value:+.{digits}f}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """A 95 % interval of a share: `70.1 to 72.4 %`."""
    return f"{100 * low:.1f} to {100 * high:.1f}\u00a0%"


def count(number: int) -> str:
    """A large number at a glance: `2.36 M`, `834 k`, `912`."""
    if number >= 999_500:  # which would be 1000 k
        return f"{number / 1e6:.2f}\u00a0M"
    if number >= 10_000:
        return f"{number / 1e3:.0f}\u00a0k"
    return f"{number:,}"


def file_size(size: float) -> str:
    """A number of bytes: `82.7 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        digits = 0 if unit == "bytes" else 1
        if round(size, digits) < 1000:
            return f"{size:.{digits}f}\u00a0{unit}"
        size /= 1000
    return f"{size:.1f}\u00a0TB"


def when(iso: str | None) -> str:
    """An ISO 8601 time in this computer's own time zone: `6 Mar 2026, 14:05`."""
    if not iso:
        return "—"
    moment = datetime.fromisoformat(iso).astimezone()
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def duration(seconds: float) -> str:
    """A span of time: `8 s`, `3 min`, `1 h 20 min`."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))}\u00a0s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}\u00a0min"
    return f"{minutes // 60}\u00a0h\u00a0{minutes % 60:02d}\u00a0min"
