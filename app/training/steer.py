"""What the training page shows, and what can be done with a run there."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from app.training import draft, launch
from pipeline.runs import Run

NEW, WATCH = "New run", "Watch"
RUN = "run"
"""The query parameter that names the watched run, so that a reload finds it again."""

_VIEW = "train_view"
_NEXT = "train_next"


def show(run: Run) -> None:
    """Turns the training page to a run, the next time it is drawn."""
    st.session_state[_NEXT] = run.id


def show_latest() -> None:
    """Turns the training page to what is being trained, or will be first, once there is a run."""
    st.session_state[_VIEW] = WATCH


def choose_view(runs: list[Run]) -> str:
    """The switch between the form and the watched run.

    Args:
        runs: All runs; without any there is nothing to watch and no switch.

    Returns:
        `NEW` or `WATCH`.
    """
    if _NEXT in st.session_state:
        wanted = st.session_state.pop(_NEXT)
        st.session_state[_VIEW] = WATCH if wanted else NEW
        _name_in_address(wanted)
    if not runs:
        if RUN in st.query_params:
            views.not_here(st.query_params[RUN])
        return NEW
    if _VIEW not in st.session_state:
        watching = RUN in st.query_params or bool(launch.lively())
        st.session_state[_VIEW] = WATCH if watching else NEW
    chosen = st.segmented_control(
        "View",
        [NEW, WATCH],
        key=_VIEW,
        required=True,
        label_visibility="collapsed",
        on_change=_view_changed,
    )
    return chosen or NEW


def clone(run: Run) -> None:
    """Fills the form with a run's settings and shows it, the next time the page is drawn."""
    draft.fill(resources.home(), run.config)
    st.session_state[_NEXT] = None


def _view_changed() -> None:
    if st.session_state[_VIEW] == NEW:
        _name_in_address(None)


def _name_in_address(run_id: str | None) -> None:
    if run_id is None:
        st.query_params.pop(RUN, None)
    else:
        st.query_params[RUN] = run_id
