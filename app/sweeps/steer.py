"""What the page of the sweeps shows: the form, or one sweep."""

from __future__ import annotations

import streamlit as st

from app import views

NEW, WATCH = "New sweep", "Watch"
SWEEP = "sweep"
"""The query parameter that names the watched sweep, so that a reload finds it again."""

_VIEW = "sweep_view"
_NEXT = "sweep_next"
_PICKED = "sweep_watched"


def show(name: str | None) -> None:
    """Turns the page to a sweep, or to the form, the next time it is drawn."""
    st.session_state[_NEXT] = name


def choose_view(names: list[str]) -> str:
    """The switch between the form and the watched sweep.

    Args:
        names: All sweeps; without any there is nothing to watch and no switch.

    Returns:
        `NEW` or `WATCH`.
    """
    if _NEXT in st.session_state:
        wanted = st.session_state.pop(_NEXT)
        st.session_state[_VIEW] = WATCH if wanted else NEW
        if wanted:
            st.query_params[SWEEP] = wanted
    if not names:
        if SWEEP in st.query_params:
            views.not_here(st.query_params[SWEEP])
        return NEW
    st.session_state.setdefault(_VIEW, WATCH)
    chosen = st.segmented_control(
        "View", [NEW, WATCH], key=_VIEW, required=True, label_visibility="collapsed"
    )
    return chosen or WATCH


def pick(names: list[str]) -> str:
    """Asks which sweep to watch; the newest without an answer."""
    wanted = st.query_params.get(SWEEP)
    if wanted is not None and wanted not in names:
        views.not_here(wanted)
    chosen = wanted if wanted in names else names[0]
    st.session_state[_PICKED] = chosen
    st.selectbox("Sweep", names, key=_PICKED, on_change=_picked)
    return chosen


def forget() -> None:
    """Takes the watched sweep out of the address, as before it is deleted."""
    st.query_params.pop(SWEEP, None)


def _picked() -> None:
    st.query_params[SWEEP] = st.session_state[_PICKED]
