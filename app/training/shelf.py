"""All runs in a table: what is looked for, what is shown, what is chosen."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from app import resources, views
from app.training import actions, launch, trash
from app.training.launch import Phase
from app.training.records import Record, matching, record, to_csv
from app.training.words import with_sign
from pipeline.runs import Run

_TABLE_CHOICE = "runs_table_choice"
_FIND = "runs_find"
_SECONDS_BETWEEN_LOOKS = 5.0
_FILTERS = {
    Phase.RUNNING: (Phase.RUNNING, Phase.STARTING, Phase.STOPPING),
    Phase.IN_LINE: (Phase.IN_LINE,),
    Phase.WAITING: (Phase.WAITING,),
    Phase.FINISHED: (Phase.FINISHED,),
    Phase.STOPPED: (Phase.STOPPED,),
    Phase.FAILED: (Phase.FAILED, Phase.STILLBORN),
}
"""The phases that can be chosen, and what each takes in."""


def view() -> None:
    """The table, its filter, and what can be done with the chosen runs."""
    trash.undo_line()
    runs = resources.runs().list()
    if not runs:
        views.empty_page(
            "No runs yet",
            "A run appears here as soon as its training starts.",
            "pages/train.py",
            "Train",
            "model_training",
            key="no_runs",
        )
        return
    wanted = _filter(runs)
    every = _SECONDS_BETWEEN_LOOKS if launch.lively() else None
    st.fragment(_table, run_every=every)(wanted)
    actions.view({run.id: run for run in runs})


def find(text: str) -> None:
    """Looks for runs, the next time that the page is drawn; as if the text was typed there."""
    st.session_state[_FIND] = text


def _filter(runs: list[Run]) -> dict[str, Any]:
    """The widgets that say which runs to show; gives what `records.matching` takes."""
    notes = [run.notes for run in runs]
    tags = sorted({tag for item in notes for tag in item.tags})
    with st.container(horizontal=True, vertical_alignment="top"):
        text = st.text_input(
            "Find",
            key=_FIND,
            icon=":material/search:",
            placeholder="Name, tag, network, note",
            width=240,
        )
        chosen = st.pills(
            "Status",
            list(_FILTERS),
            selection_mode="multi",
            key="runs_phases",
            format_func=with_sign,
            wrap=True,
        )
    with_tags: list[str] = []
    archived = False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if tags:
            with_tags = st.pills("Tags", tags, selection_mode="multi", key="runs_tags", wrap=True)
        if any(item.archived for item in notes):
            archived = st.toggle("Archived, too", key="runs_archived")
    phases = [phase for name in chosen for phase in _FILTERS[name]]
    return {"text": text, "phases": phases, "tags": with_tags, "archived": archived}


def _table(wanted: dict[str, Any]) -> None:
    records = matching(map(record, resources.runs().list()), **wanted)
    if not records:
        views.empty_state("No run fits", "Change the words, the status or the tags above.")
        return
    active = resources.models().active()
    serving = active.name if active is not None and active.origin == "run" else None
    rows = [_row(item, is_active=item.run == serving) for item in records]
    # Another list of runs must not inherit the place of a choice in this one.
    key = "runs_table_" + re.sub(r"\W", "_", "_".join(item.run for item in records))
    picked = st.dataframe(
        rows,
        hide_index=True,
        key=key,
        placeholder="—",
        alt="Training runs with status, epochs, scores, size and time",
        on_select="rerun",
        selection_mode="multi-row",
        column_config=_COLUMNS,
        column_order=[
            name
            for name in _COLUMNS
            # What most runs have nothing in is a column once one has.
            if name not in _OPTIONAL or any(row[name] for row in rows)
        ],
    )
    _take_choice(key, [records[row].run for row in picked["selection"]["rows"]])
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


def _take_choice(table: str, ids: list[str]) -> None:
    """Chooses what was ticked in the table; only a change counts, for the box below counts too."""
    before = st.session_state.get(_TABLE_CHOICE, (table, []))
    st.session_state[_TABLE_CHOICE] = (table, ids)
    if before[1] != ids and (ids or before[0] == table):
        actions.choose(ids)
        st.rerun()


def _row(item: Record, *, is_active: bool) -> dict[str, Any]:
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
        "title": item.title,
        "status": with_sign(item.phase),
        "model": "● Active" if is_active else "",
        "tags": list(item.tags),
        "network": item.network,
        "dataset": item.dataset,
        "epochs": f"{item.epochs_done} / {item.epochs}",
        **percent,
        "parameters": item.parameters,
        "macs": item.macs,
        "minutes": None if item.seconds is None else item.seconds / 60,
        "created": views.when(item.created),
        "note": item.note,
        "reason": item.reason,
        "archived": "Archived" if item.archived else "",
    }


_COLUMNS = {
    "run": st.column_config.TextColumn("Run", width=180, pinned=True),
    # However long: what comes first is to be seen at once, the scores among it.
    "title": st.column_config.TextColumn("Title", width=180),
    "status": st.column_config.TextColumn("Status", width=130),  # for "✕ Failed to start"
    "val_accuracy": st.column_config.NumberColumn("Validation accuracy", format="%.1f %%"),
    "test_accuracy": st.column_config.NumberColumn("Test accuracy", format="%.1f %%"),
    "val_macro_f1": st.column_config.NumberColumn("Validation macro-F1", format="%.1f %%"),
    "test_macro_f1": st.column_config.NumberColumn("Test macro-F1", format="%.1f %%"),
    "model": st.column_config.TextColumn("Model", width="small"),
    "tags": st.column_config.ListColumn("Tags"),
    "network": st.column_config.TextColumn("Network"),
    "dataset": st.column_config.TextColumn("Dataset"),
    "epochs": st.column_config.TextColumn("Epochs", width="small"),
    "parameters": st.column_config.NumberColumn("Parameters", format="compact"),
    "macs": st.column_config.NumberColumn("MACs a face", format="compact"),
    "minutes": st.column_config.NumberColumn("Minutes", format="%.1f"),
    "created": st.column_config.TextColumn("Created"),
    "note": st.column_config.TextColumn("Note", width="large"),
    "reason": st.column_config.TextColumn("Why it ended", width="large"),
    "archived": st.column_config.TextColumn("Archived", width="small"),
}
_OPTIONAL = frozenset({"title", "model", "tags", "note", "reason", "archived"})
