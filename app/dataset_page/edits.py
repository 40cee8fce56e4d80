"""Edits: what was excluded and relabelled, and taking it back."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import resources, tables, views
from app.dataset_page.desk import Desk, change
from pipeline.dataset import overlay
from pipeline.dataset.overlay import Edit, Overlay, OverlayStore
from pipeline.labels import EMOTIONS, NAMES

_WORDS = {
    overlay.EditKind.EXCLUDE: "Excluded",
    overlay.EditKind.RELABEL: "Relabelled",
    overlay.EditKind.RESTORE: "Restored",
}


def tab(desk: Desk) -> None:
    """What the edits come to, and the list of them."""
    edited = desk.overlay
    if not edited.version:
        views.empty_state(
            "No edits yet",
            "Exclude or relabel an image in its large view, or a whole list under Quality. "
            "Edits are kept in a file beside the dataset, which itself is never changed.",
        )
        return
    st.markdown(
        f"Version **{edited.version}** · excluded: **{len(edited.excluded):,}** · relabelled: "
        f"**{edited.num_relabelled:,}**"
    )
    with st.container(horizontal=True):
        last = edited.last
        st.button(
            "Undo the last edit",
            key="overlay_undo",
            icon=":material/undo:",
            disabled=last is None,
            help=None if last is None else f"{describe(last)}, {views.when(last.created)}",
            on_click=change,
            args=(overlay.undo(),),
        )
        tables.download(
            lambda: changes(desk, edited), f"{desk.dataset.name}-edits", label="Changes as CSV"
        )
    tables.data_frame(history(edited), key="overlay_history", alt="All edits, the latest first")
    path = OverlayStore(resources.home().data).path(desk.dataset)
    st.caption(
        "To train with them, choose a version under Data on the Train page; on the command line, "
        "`train` and `evaluate` take `--edits`. To undo is an edit too: versions stay. Kept in "
        f"{views.plain(str(path))}."
    )


def describe(edit: Edit) -> str:
    """An edit that is no `undo`, in a few words."""
    words = _WORDS[edit.kind]
    named = f"image {edit.images[0]:,}" if len(edit.images) == 1 else f"{len(edit.images):,} images"
    labels = ", ".join(name for name in NAMES if name in edit.labels)
    return f"{words} {named}" + (f" as {labels}" if labels else "")


def history(edited: Overlay) -> pd.DataFrame:
    """All edits, the latest first."""
    rows = []
    standing: list[int] = []
    for number, edit in enumerate(edited.edits, start=1):
        if edit.kind is not overlay.EditKind.UNDO:
            standing.append(number)
            words = describe(edit)
        else:
            words = f"Undid version {standing.pop()}" if standing else "Undid nothing"
        rows.append((number, words, edit.note, views.when(edit.created)))
    return pd.DataFrame(rows[::-1], columns=["version", "edit", "note", "when"])


def changes(desk: Desk, edited: Overlay) -> pd.DataFrame:
    """What the edits come to, a row for each image they change."""
    rows = []
    for index in sorted(edited.excluded | set(edited.relabelled)):
        label = edited.relabelled.get(index)
        rows.append(
            {
                "index": index,
                "origin": desk.dataset.origin(index),
                "label": NAMES[int(desk.dataset.labels[index])],
                "new_label": "" if label is None else EMOTIONS[label].name,
                "excluded": index in edited.excluded,
            }
        )
    return pd.DataFrame(rows, columns=["index", "origin", "label", "new_label", "excluded"])
