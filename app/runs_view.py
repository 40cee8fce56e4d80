"""The table of the latest training runs."""

from __future__ import annotations

import streamlit as st

from app import plain_html, resources, views
from app.training import launch
from app.training.words import with_sign
from pipeline.errors import PipelineError
from pipeline.runs import Run

_LATEST = 8


def latest() -> None:
    """The latest runs; the table refreshes itself."""
    lively = bool(launch.lively())
    # While nothing runs, a slow look still finds a run begun in a terminal.
    st.fragment(_latest, run_every=2.0 if lively else 10.0)(lively)


def _row(run: Run) -> dict[str, str]:
    """One line of the table; a damaged run says so instead of hiding the others."""
    try:
        state, config, best = run.state, run.config, run.best or {}
        done, total = len(run.history), int(config.get("epochs", 0))
    except (PipelineError, ValueError, TypeError) as error:
        return _line(run.id, with_sign(None), note=str(error))
    return _line(
        run.id,
        with_sign(launch.phase(run)),
        epochs=f"{done} / {total}",
        accuracy=views.percent(best["val_accuracy"]) if "val_accuracy" in best else "—",
        dataset=config.get("dataset", ""),
        started=views.when(state.started or state.created),
        note=state.reason,
    )


def _line(
    run: str,
    status: str,
    *,
    epochs: str = "—",
    accuracy: str = "—",
    dataset: str = "",
    started: str = "—",
    note: str = "",
) -> dict[str, str]:
    return {
        "Run": run,
        "Status": status,
        "Epochs": epochs,
        "Best validation accuracy": accuracy,
        "Dataset": dataset,
        "Started": started,
        "Note": note,
    }


def _latest(was_lively: bool) -> None:
    runs = [run for run in resources.runs().list() if not run.notes.archived]
    lively = bool(launch.lively())
    if lively != was_lively:
        st.rerun()
    with views.card("Latest runs", "model_training", key="runs_card"):
        if not runs:
            views.empty_state(
                "No runs yet",
                "A run appears here as soon as its training starts, and then its progress.",
                level=3,
            )
            return
        st.html(plain_html.table([_row(run) for run in runs[:_LATEST]], label="Latest runs"))
        older = f" ({len(runs) - _LATEST} older)" if len(runs) > _LATEST else ""
        st.page_link("pages/runs.py", label=f"All runs{older}", icon=":material/table_chart:")
