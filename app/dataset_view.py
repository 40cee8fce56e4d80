"""The card of a dataset and the list of all of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from app import active_dataset, resources, views
from app.class_bars import class_bars
from app.training import edits, launch
from pipeline.dataset import DatasetMeta
from pipeline.dataset.overlay import OverlayStore
from pipeline.errors import PipelineError
from pipeline.runs import Run

_FACES_PER_CLASS = 4


def badges(meta: DatasetMeta) -> str:
    """What a reader must know of a dataset before its numbers, as Markdown."""
    found = []
    if meta.synthetic:
        found.append(views.SYNTHETIC_BADGE)
    if meta.votes_source:
        found.append(":green-badge[:material/how_to_vote: FER+ votes]")
    return " ".join(found)


def card(name: str, *, is_alone: bool) -> None:
    """What is in a dataset, at a glance.

    Args:
        name: Of the dataset.
        is_alone: Whether it is the only one, which then needs no list to be deleted from.
    """
    try:
        meta = resources.dataset(name).meta
    except PipelineError as error:
        views.show_error(error)
        if is_alone:
            _delete_button(name)
        return
    with views.card(views.plain(meta.title), "database", badges=badges(meta), key="dataset_card"):
        if meta.synthetic:
            st.caption(views.SYNTHETIC_HELP)
        st.html(class_bars(meta.counts, resources.faces(name, _FACES_PER_CLASS)))
        _provenance(meta)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                "pages/dataset.py",
                label="Its images, faults and likely label errors",
                icon=":material/dataset:",
            )
            if is_alone:
                st.space("stretch")
                _delete_button(name)


def shelf(active: str) -> None:
    """All datasets, one line each: choose the active one, or delete one."""
    with views.card("Datasets", "stacks", key="datasets_card"):
        for name in resources.datasets().names():
            _shelf_row(name, is_active=name == active)


def _provenance(meta: DatasetMeta) -> None:
    # The name alone: a path is long, and that of an upload says nothing.
    origin = views.plain(Path(meta.source).name)
    facts = [
        origin[:1].upper() + origin[1:] if meta.synthetic else f"From {origin}",
        f"imported {views.when(meta.created)}",
        f"fingerprint `{meta.fingerprint[:12]}`",
    ]
    if meta.votes_source:
        facts.append(f"votes from {views.plain(Path(meta.votes_source).name)}")
    st.caption(" · ".join(facts), help=views.plain(meta.source))
    for note in meta.notes:
        st.caption(f":material/info: {views.plain(note)}")


def _shelf_row(name: str, *, is_active: bool) -> None:
    with st.container(key=f"dataset_{name}", gap="xxsmall"):
        try:
            meta = resources.datasets().meta(name)
            st.markdown(f"**{views.plain(meta.title)}** {badges(meta)}")
            detail = f"{name} · {meta.num_samples:,} images"
        except PipelineError as error:
            st.markdown(f"**{name}** :red-badge[:material/broken_image: Damaged]")
            detail = str(error)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(views.plain(detail), width="stretch")
            if is_active:
                st.badge("Active", icon=":material/check:", color="green")
            else:
                st.button("Make active", key=f"activate_{name}", on_click=_activate, args=(name,))
            _delete_button(name)


def _delete_button(name: str) -> None:
    if st.button("Delete", key=f"delete_{name}", type="tertiary", icon=":material/delete:"):
        _confirm_delete(name)


def _activate(name: str) -> None:
    with views.guarded():
        active_dataset.choose(name)


@st.dialog("Delete this dataset?", icon=":material/delete:")
def _confirm_delete(name: str) -> None:
    size = views.file_size(resources.folder_bytes(resources.home().data / name))
    st.markdown(
        f"**{name}** ({size}) is removed from this computer for good, and so are {_edits(name)}. "
        "The file that it was imported from stays where it is, and so do runs trained on it."
    )
    ending = [run.title for run in launch.lively() if _learns_from(run, name)]
    if ending:
        st.warning(
            "These runs are being trained on it now, or queued, and cannot be continued "
            f"afterwards: {views.plain(', '.join(ending))}.",
            icon=":material/model_training:",
        )
    views.keep_or_delete(_delete, name, key="delete")


def _edits(name: str) -> str:
    words = ""
    with suppress(PipelineError):  # what is damaged can be deleted all the same
        words = edits.words(OverlayStore(resources.home().data).load(resources.dataset(name)))
    return f"its edits ({words})" if words else "any edits made of it"


def _learns_from(run: Run, dataset: str) -> bool:
    with suppress(PipelineError):
        return bool(run.config.get("dataset") == dataset)
    return False


def _delete(name: str) -> None:
    with views.guarded():
        resources.datasets().delete(name)
        resources.forget_datasets()
