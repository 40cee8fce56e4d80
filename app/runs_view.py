"""The table of the latest training runs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import resources, views
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


def row(run: Run) -> dict[str, Any]:
    """One line of the table; a damaged run says so instead of hiding the others."""
    try:
        state, config, best = run.state, run.config, run.best or {}
        done, total = len(run.history), int(config.get("epochs", 0))
    except (PipelineError, ValueError, TypeError) as error:
        return {"run": run.id, "status": with_sign(None), "note": str(error)}
    return {
        "run": run.id,
        "status": with_sign(launch.phase(run)),
        "share": done / total if total else 0.0,
        "epochs": f"{done} / {total}",
        "accuracy": 100 * best["val_accuracy"] if "val_accuracy" in best else None,
        "dataset": config.get("dataset", ""),
        "started": views.when(state.started or state.created),
        "note": state.reason,
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
            )
            return
        st.dataframe(
            [row(run) for run in runs[:_LATEST]],
            hide_index=True,
            key="runs_table",
            placeholder="—",
            alt="The latest training runs with status, epochs and best validation accuracy",
            column_config={
                "run": st.column_config.TextColumn("Run", width="medium"),
                "status": st.column_config.TextColumn("Status", width="small"),
                "share": st.column_config.ProgressColumn(
                    "Progress", min_value=0.0, max_value=1.0, format="percent", width="small"
                ),
                "epochs": st.column_config.TextColumn("Epochs", width="small"),
                "accuracy": st.column_config.NumberColumn(
                    "Best validation accuracy", format="%.1f %%"
                ),
                "dataset": st.column_config.TextColumn("Dataset", width="small"),
                "started": st.column_config.TextColumn("Started"),
                "note": st.column_config.TextColumn("Note", width="large"),
            },
        )
        older = f" ({len(runs) - _LATEST} older)" if len(runs) > _LATEST else ""
        st.page_link("pages/runs.py", label=f"All runs{older}", icon=":material/table_chart:")
