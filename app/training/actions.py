"""What can be done with the chosen runs: one of them, or several at once."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import active_model, resources, views
from app.training import curation, launch, steer, transfer, trash
from app.training.launch import Phase
from pipeline.errors import PipelineError
from pipeline.runs import Run

_CHOSEN = "runs_chosen"
_COMPARABLE = range(2, 9)

Wish = Callable[[list[Run]], None]


def choose(ids: list[str]) -> None:
    """Chooses runs, the next time that the page is drawn."""
    st.session_state[_CHOSEN] = ids


def view(runs: dict[str, Run]) -> None:
    """The chosen runs, and the buttons for what can be done with them.

    Args:
        runs: All runs by id.
    """
    st.session_state[_CHOSEN] = [
        run_id for run_id in st.session_state.get(_CHOSEN, []) if run_id in runs
    ]
    ids = st.multiselect(
        "Chosen runs",
        list(runs),
        key=_CHOSEN,
        placeholder="Choose here, or tick them in the table",
        format_func=lambda run_id: curation.name(runs[run_id]),
    )
    chosen = [runs[run_id] for run_id in ids]
    with st.container(horizontal=True, key="runs_actions"):
        wish = _buttons(chosen)
    if wish is not None:
        with views.guarded():
            wish(chosen)


def _buttons(chosen: list[Run]) -> Wish | None:
    phases = [_phase(run) for run in chosen]
    run, phase = (chosen[0], phases[0]) if len(chosen) == 1 else (None, None)
    serves = run is not None and run.has_model and phase is not None and not phase.is_busy
    active = resources.models().active()
    is_active = run is not None and active is not None and active.folder == run.folder
    busy = any(phase is not None and phase.is_busy for phase in phases)
    put_away = bool(chosen) and all(run.notes.archived for run in chosen)
    archive = ("Unarchive", "unarchive") if put_away else ("Archive", "archive")
    buttons: tuple[tuple[str, str, str, bool, Wish], ...] = (
        ("Evaluate", "evaluate", "monitoring", not serves, _evaluate),
        ("Compare", "compare", "compare_arrows", len(chosen) not in _COMPARABLE, _compare),
        ("Watch", "watch", "show_chart", phase is None, _watch),
        ("Clone", "clone", "content_copy", phase is None, _clone),
        ("Make active", "promote", "neurology", not serves or is_active, _promote),
        ("Edit", "edit", "edit", run is None, _edit),
        (archive[0], "archive", archive[1], not chosen, curation.archive),
        ("Export", "export", "folder_zip", not chosen or busy, transfer.export),
        ("Delete", "delete", "delete", not chosen or busy, _delete),
    )
    wish = None
    for label, key, icon, disabled, action in buttons:
        if st.button(label, key=f"runs_{key}", icon=f":material/{icon}:", disabled=disabled):
            wish = action
    return wish


def _phase(run: Run) -> Phase | None:
    """Where a run is; `None` if its files are damaged."""
    try:
        run.config["architecture"]
        return launch.phase(run)
    except (PipelineError, KeyError, TypeError):
        return None


def _evaluate(runs: list[Run]) -> None:
    st.switch_page("pages/evaluation.py", query_params={"model": runs[0].id})


def _compare(runs: list[Run]) -> None:
    ids = ",".join(run.id for run in runs)
    st.switch_page("pages/compare.py", query_params={"runs": ids})


def _watch(runs: list[Run]) -> None:
    steer.show(runs[0])
    st.switch_page("pages/train.py")


def _clone(runs: list[Run]) -> None:
    steer.clone(runs[0])
    st.switch_page("pages/train.py")


def _promote(runs: list[Run]) -> None:
    active_model.choose(runs[0].id)
    st.rerun()


def _edit(runs: list[Run]) -> None:
    curation.edit(runs[0])


def _delete(runs: list[Run]) -> None:
    trash.delete(runs)
    st.rerun()
