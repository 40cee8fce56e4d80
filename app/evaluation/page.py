"""The evaluation page as a whole: its choosers and tabs, of which only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import views
from app.evaluation import (
    calibration,
    confusion,
    ensembles,
    errors,
    onward,
    overview,
    per_class,
    report,
    stress,
)
from app.evaluation.choice import choose
from app.evaluation.desk import Desk, open_desk

_TAB = "evaluation_tab"
_CONFUSION = ":material/grid_on: Confusion"

TABS: dict[str, Callable[[Desk], None]] = {
    ":material/speed: Headline": overview.tab,
    _CONFUSION: confusion.tab,
    ":material/stacked_line_chart: Per class": per_class.tab,
    ":material/tune: Calibration": calibration.tab,
    ":material/bug_report: Errors": errors.tab,
    ":material/bolt: Stress": stress.tab,
    ":material/groups: Ensembles": ensembles.tab,
    ":material/description: Report": report.tab,
}


def show_confusion() -> None:
    """Opens the tab of the confusion matrix, the next time that the page is drawn."""
    st.session_state[_TAB] = _CONFUSION


def board() -> None:
    """The choosers, and the tabs of what is chosen."""
    with views.guarded():
        choice = choose()
        if choice is None:
            views.empty_state(
                "Nothing to evaluate it on",
                "The model came without stored figures, and there is no dataset: get one on the "
                "overview.",
            )
            return
        desk = open_desk(choice)
        overview.provenance(desk)
        onward.links(desk.entry)
        views.tabs(TABS, desk, key=_TAB)
