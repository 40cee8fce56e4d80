"""The trials of a sweep in a table, and what can be done with the run of one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import active_model, resources, views
from app.sweeps import charts
from app.training import fields, shelf, steer
from pipeline.errors import RunNotFoundError
from pipeline.runs import Run
from pipeline.training.sweep import SweepDefinition, TrialPhase, TrialRecord
from pipeline.training.sweep.store import best

WORDS = {
    TrialPhase.WAITING: "… Interrupted",
    TrialPhase.RUNNING: "► Running",
    TrialPhase.FINISHED: "✓ Finished",
    TrialPhase.PRUNED: "✂ Pruned",
    TrialPhase.FAILED: "✕ Failed",
}
"""Told apart by a sign too, not by the word or a colour alone."""


def view(sweep: str, definition: SweepDefinition, trials: list[TrialRecord]) -> None:
    """The table and the buttons for the trial chosen in it, at first the best.

    Args:
        sweep: The sweep's name.
        definition: What was searched.
        trials: At least one.
    """
    winner = best(definition, trials)
    picked = st.dataframe(
        [row(item, definition, is_best=item is winner) for item in trials],
        hide_index=True,
        # Another sweep must not inherit the place of a choice in this one.
        key=f"sweep_trials_table_{sweep}",
        placeholder="—",
        alt="Trials with status, score, settings and run",
        on_select="rerun",
        selection_mode="single-row",
        column_config=_columns(definition),
    )
    rows = [index for index in picked["selection"]["rows"] if index < len(trials)]
    chosen = trials[rows[0]] if rows else winner
    if chosen is not None:
        _actions(sweep, chosen, is_best=chosen is winner)


def row(item: TrialRecord, definition: SweepDefinition, *, is_best: bool) -> dict[str, Any]:
    """One line of the table.

    Args:
        item: The trial.
        definition: What was searched.
        is_best: Whether no trial is better.
    """
    value = item.value
    return {
        "trial": item.number,
        "state": "★ Best" if is_best else WORDS[item.phase],
        "value": None if value is None else charts.scaled(value, definition),
        "epochs": max(item.curve, default=0),
        **{field.name: _param(item, field.name) for field in definition.fields},
        "run": item.run,
        "host": item.host,
        "note": item.note,
    }


def _param(item: TrialRecord, name: str) -> str | None:
    value = item.params.get(name)
    if value is None:
        return None
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, str) or name == "input_size":
        return fields.choice(name, value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _columns(definition: SweepDefinition) -> dict[str, Any]:
    text = st.column_config.TextColumn
    number_format = "%.4f" if definition.metric == "val_loss" else "%.1f %%"
    return {
        "trial": st.column_config.NumberColumn("Trial", width="small", pinned=True),
        "state": text("Status"),
        "value": st.column_config.NumberColumn(
            fields.choice("monitor", definition.metric), format=number_format
        ),
        "epochs": st.column_config.NumberColumn("Epochs", width="small"),
        **{field.name: text(fields.title(field.name)) for field in definition.fields},
        "run": text("Run"),
        "host": text("Computer"),
        "note": text("Note", width="large"),
    }


def _actions(sweep: str, trial: TrialRecord, *, is_best: bool) -> None:
    run = _run(trial)
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="sweep_actions"
    ):
        which = f"Trial {trial.number}{', the best' if is_best else ''}"
        if run is None:
            where = f"on {views.plain(trial.host)}, not" if trial.host else "not"
            st.caption(f"{which}: its run {views.plain(trial.run)} is {where} here.")
            return
        st.markdown(f"{which}: run **{views.plain(run.id)}**", width="content")
        if st.button("Watch", key="sweep_trial_watch", icon=":material/show_chart:"):
            steer.show(run)
            st.switch_page("pages/train.py")
        help = "Fills the training form with its settings, to train it longer."
        if st.button("Clone", key="sweep_trial_clone", icon=":material/content_copy:", help=help):
            steer.clone(run)
            st.switch_page("pages/train.py")
        if run.has_model:
            if st.button("Evaluate", key="sweep_trial_evaluate", icon=":material/monitoring:"):
                st.switch_page("pages/evaluation.py", query_params={"model": run.id})
            active_model.button_for(run.id, key="sweep_trial_promote")
        if st.button("All runs", key="sweep_runs", icon=":material/table_chart:"):
            shelf.find(f"{sweep}-t")  # so their names begin
            st.switch_page("pages/runs.py")


def _run(trial: TrialRecord) -> Run | None:
    try:
        run = resources.runs().get(trial.run)
    except RunNotFoundError:
        return None
    return run if run.id == trial.run else None
