"""Which runs and models are compared: in the address, so that a link finds them again."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from app.compare import subjects
from app.compare.subjects import MOST, Subject
from app.model_view import ORIGINS
from pipeline.recognition.catalog import ModelEntry
from pipeline.runs import Run

RUNS = "runs"
"""The query parameter: names, separated by commas."""

_CHOSEN = "compare_chosen"
_LAST = "compare_last"


def choose() -> list[Subject]:
    """Draws the chooser.

    Returns:
        What is to be compared, two or more; none if that is not so (yet), and
        the page says what to do.
    """
    runs = {run.id: run for run in resources.runs().list()}
    models = {entry.name: entry for entry in resources.models().list()}
    everything = [*runs, *(name for name in models if name not in runs)]
    if len(everything) < 2:
        _too_few(len(everything))
        return []
    wanted = _wanted(runs, models)
    known = [name for name in everything if name in wanted or not _is_archived(name, runs)]
    st.session_state[_CHOSEN] = [name for name in wanted if name in known][:MOST]
    chosen = st.multiselect(
        "Runs and models",
        known,
        key=_CHOSEN,
        format_func=lambda name: _title(name, runs, models),
        max_selections=MOST,
        select_all=False,
        placeholder="Choose two or more",
        help=f"2 to {MOST}. The address of this page names them: keep it to come back.",
        on_change=_changed,
    )
    left_out = [name for name in wanted if name not in chosen]
    if left_out:
        st.warning(
            f"Left out, because they are not here any more or more than {MOST}: "
            f"{views.plain(', '.join(left_out))}.",
            icon=":material/search_off:",
        )
    if len(chosen) < 2:
        views.empty_state(
            "Choose at least two", "Any runs, finished or not, ensembles, and shipped models."
        )
        return []
    _remember(chosen)
    return subjects.read(chosen, runs, models)


def _too_few(number: int) -> None:
    views.empty_page(
        "Nothing to compare yet" if number else "No runs yet",
        "There is one: train another, with one setting changed, and see what it did."
        if number
        else "Train two networks; this page then shows how they differ, and whether that is more "
        "than luck.",
        "pages/train.py",
        "Train",
        "model_training",
        key="compare_empty",
    )


def _wanted(runs: dict[str, Run], models: dict[str, ModelEntry]) -> list[str]:
    """The names in the address, else those of the last visit, else the two newest models."""
    if RUNS in st.query_params:
        names = st.query_params[RUNS].split(",")
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if _LAST in st.session_state:
        return list(st.session_state[_LAST])
    shown = [name for name in runs if not _is_archived(name, runs)]
    newest = [*(name for name in shown if name in models), *models, *shown]
    return list(dict.fromkeys(newest))[:2]


def _is_archived(name: str, runs: dict[str, Run]) -> bool:
    return name in runs and runs[name].notes.archived


def _changed() -> None:
    _remember(st.session_state[_CHOSEN])


def _remember(names: list[str]) -> None:
    st.session_state[_LAST] = list(names)
    if names:
        st.query_params[RUNS] = ",".join(names)
    else:
        st.query_params.pop(RUNS, None)


def _title(name: str, runs: dict[str, Run], models: dict[str, ModelEntry]) -> str:
    if name not in runs:
        if name not in models:
            return name
        origin = ORIGINS[models[name].origin]
        return f"{name} ({origin[:1].lower()}{origin[1:]})"
    title = runs[name].title
    return name if title in ("", name) else f"{title} ({name})"
