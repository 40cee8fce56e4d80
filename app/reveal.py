"""Brings what a click asked for into view, where the page is longer than the screen.

Streamlit draws the page anew, but leaves it scrolled to where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

_ASKED = "reveal_asked"

# Pictures are waited for, as they have no height before. What is in view already stays put.
_SCRIPT = """
let seen = 0
export default async function ({ data }) {
  if (data.number === seen) return
  seen = data.number
  const target = document.querySelector(`.st-key-${data.key}`)
  if (!target) return
  const pictures = [...target.querySelectorAll("img")].map(picture => picture.decode())
  await Promise.allSettled(pictures)
  target.style.scrollMarginTop = "4rem" // below Streamlit's header
  target.scrollIntoView({ block: "nearest" })
}
"""


def ask(key: str) -> None:
    """Has a part of the page brought into view once it is drawn; a callback, or part of one.

    Args:
        key: Of the container that is to be seen.
    """
    number = st.session_state.get(_ASKED, {"number": 0})["number"] + 1
    st.session_state[_ASKED] = {"number": number, "key": key}


def asked() -> None:
    """Does what was asked for last; once. To be called below what there is to be seen."""
    if _ASKED in st.session_state:
        _component()(data=st.session_state[_ASKED], key="reveal", height=1)


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("ferlab_reveal", js=_SCRIPT)
