"""All runs in a table, and what can be done with the chosen one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from app import resources, views
from app.training import launch, steer
from app.training.launch import Phase
from app.training.records import Record, matching, record, to_csv
from app.training.watch import WORDS
from pipeline.runs import Run

_CHOSEN = "runs_chosen"
_SECONDS_BETWEEN_LOOKS = 5.0
_SIGNS = {
    Phase.WAITING: "○",
    Phase.STARTING: "…",
    Phase.STILLBORN: "✕",
    Phase.RUNNING: "▶",
    Phase.STOPPING: "…",
    Phase.FINISHED: "✓",
    Phase.STOPPED: "■",
    Phase.FAILED: "✕",
}
_FILTERS = {
    Phase.RUNNING: (Phase.RUNNING, Phase.STARTING, Phase.STOPPING),
    Phase.FINISHED: (Phase.FINISHED,),
    Phase.STOPPED: (Phase.STOPPED,),
    Phase.FAILED: (Phase.FAILED, Phase.STILLBORN),
}
"""The phases that can be chosen, and what each takes in."""


def view() -> None:
    """The table, its filter, and the actions on one run."""
    runs = resources.runs().list()
    if not runs:
        with st.container(border=True, horizontal_alignment="center", key="no_runs"):
            views.empty_state("No runs yet", "A run appears here as soon as its training starts.")
            st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
            st.space("small")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find",
            key="runs_find",
            icon=":material/search:",
            placeholder="Name, network, dataset or note",
        )
        phases = st.pills(
            "Status",
            list(_FILTERS),
            selection_mode="multi",
            key="runs_phases",
            format_func=_word,
            wrap=True,
        )
    every = _SECONDS_BETWEEN_LOOKS if launch.lively() else None
    wanted = [phase for chosen in phases for phase in _FILTERS[chosen]]
    st.fragment(_table, run_every=every)(text, wanted)
    _actions({run.id: run for run in runs})


def _table(text: str, phases: list[Phase]) -> None:
    records = matching(map(record, resources.runs().list()), text=text, phases=phases)
    if not records:
        views.empty_state("No run fits", "Change the words or the status above.")
        return
    picked = st.dataframe(
        [_row(item) for item in records],
        hide_index=True,
        # Another list of runs must not inherit the place of a choice in this one.
        key="runs_table_" + re.sub(r"\W", "_", "_".join(item.run for item in records)),
        placeholder="—",
        alt="Training runs with status, epochs, scores, size and time",
        on_select="rerun",
        selection_mode="single-row",
        column_config=_COLUMNS,
    )
    rows = picked["selection"]["rows"]
    if rows and records[rows[0]].run != st.session_state.get(_CHOSEN):
        st.session_state[_CHOSEN] = records[rows[0]].run
        st.rerun()
    st.download_button(
        "CSV",
        to_csv(records),
        file_name="training-runs.csv",
        mime="text/csv",
        key="runs_csv",
        icon=":material/download:",
        on_click="ignore",
        help="These runs, with every setting of theirs.",
    )


def _row(item: Record) -> dict[str, Any]:
    percent = {
        name: None if value is None else 100 * value
        for name, value in (
            ("val_accuracy", item.val_accuracy),
            ("val_macro_f1", item.val_macro_f1),
            ("test_accuracy", item.test_accuracy),
            ("test_macro_f1", item.test_macro_f1),
        )
    }
    return {
        "run": item.run,
        "status": _word(item.phase),
        "network": item.network,
        "dataset": item.dataset,
        "epochs": f"{item.epochs_done} / {item.epochs}",
        **percent,
        "parameters": item.parameters,
        "macs": item.macs,
        "minutes": None if item.seconds is None else item.seconds / 60,
        "created": views.when(item.created),
        "note": item.note,
    }


_COLUMNS = {
    "run": st.column_config.TextColumn("Run", pinned=True),
    "status": st.column_config.TextColumn("Status", width="small"),
    "network": st.column_config.TextColumn("Network"),
    "dataset": st.column_config.TextColumn("Dataset"),
    "epochs": st.column_config.TextColumn("Epochs", width="small"),
    "val_accuracy": st.column_config.NumberColumn("Validation accuracy", format="%.1f %%"),
    "val_macro_f1": st.column_config.NumberColumn("Validation macro-F1", format="%.1f %%"),
    "test_accuracy": st.column_config.NumberColumn("Test accuracy", format="%.1f %%"),
    "test_macro_f1": st.column_config.NumberColumn("Test macro-F1", format="%.1f %%"),
    "parameters": st.column_config.NumberColumn("Parameters", format="compact"),
    "macs": st.column_config.NumberColumn("MACs a face", format="compact"),
    "minutes": st.column_config.NumberColumn("Minutes", format="%.1f"),
    "created": st.column_config.TextColumn("Made"),
    "note": st.column_config.TextColumn("Note", width="large"),
}


def _actions(runs: dict[str, Run]) -> None:
    if st.session_state.get(_CHOSEN) not in runs:
        st.session_state[_CHOSEN] = None
    chosen = st.selectbox(
        "Run", list(runs), key=_CHOSEN, placeholder="Choose one here or in the table"
    )
    run = runs.get(chosen or "")
    with st.container(horizontal=True, key="runs_actions"):
        wish = _buttons(run)
    if run is not None and wish is not None:
        with views.guarded():
            wish(run)


def _buttons(run: Run | None) -> Callable[[Run], None] | None:
    phase = record(run).phase if run is not None else None
    serves = run is not None and run.has_model and phase is not None and not phase.is_lively
    active = resources.models().active()
    is_active = run is not None and active is not None and active.folder == run.folder
    busy = phase is not None and phase.is_lively
    buttons: tuple[tuple[str, str, str, bool, Callable[[Run], None]], ...] = (
        ("Watch", "watch", "monitoring", phase is None, _watch),
        ("Clone", "clone", "content_copy", phase is None, _clone),
        ("Make active", "promote", "neurology", not serves or is_active, _promote),
        ("Delete", "delete", "delete", run is None or busy, _confirm_delete),
    )
    wish = None
    for label, key, icon, disabled, action in buttons:
        if st.button(label, key=f"runs_{key}", icon=f":material/{icon}:", disabled=disabled):
            wish = action
    return wish


def _watch(run: Run) -> None:
    steer.show(run)
    st.switch_page("pages/train.py")


def _clone(run: Run) -> None:
    steer.clone(run)
    st.switch_page("pages/train.py")


def _promote(run: Run) -> None:
    steer.promote(run)
    st.rerun()


@st.dialog("Delete this run?", icon=":material/delete:")
def _confirm_delete(run: Run) -> None:
    size = views.file_size(resources.folder_bytes(run.folder))
    st.markdown(
        f"**{views.plain(run.id)}** ({size}) is removed from this computer for good, with its "
        "model and its checkpoints."
    )
    active = resources.models().active()
    if active is not None and active.folder == run.folder:
        st.warning("Its model is the active one.", icon=":material/neurology:")
    views.keep_or_delete(_delete, run, key="runs_delete")


def _delete(run: Run) -> None:
    with views.guarded():
        resources.runs().delete(run.id)


def _word(phase: Phase | None) -> str:
    return "✕ Damaged" if phase is None else f"{_SIGNS[phase]} {WORDS[phase][0]}"
