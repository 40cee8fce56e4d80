"""Likely label errors: images that a model would label otherwise, the most doubtful first."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app import resources, tables, views
from app.charts import SPLIT_TITLES
from app.dataset_page import detail, gallery, grid, look
from app.dataset_page.desk import Desk, change, image_table
from app.dataset_page.grid import Pages
from app.jobs import Work
from pipeline.dataset import SPLITS, Dataset, DatasetStore, Split, ferplus, overlay
from pipeline.evaluation.label_errors import LabelErrors, LabelErrorStore, joined
from pipeline.labels import EMOTIONS, NAMES
from pipeline.progress import Progress, part_of
from pipeline.recognition.catalog import ModelEntry

_KIND = "label-errors"
_NUM_IMAGES = 60
_CHECKED = 100
_NOTE = "Likely label error"


def section(desk: Desk) -> None:
    """The choice of a model and of splits, and what the model doubts in them."""
    entries = {entry.reference: entry for entry in resources.models().list()}
    if not entries:
        views.empty_state(
            "No model yet",
            "A trained network finds labels that contradict what it has learned. Train one first.",
        )
        return
    with st.container(horizontal=True, vertical_alignment="top"):
        entry = entries[_model(entries)]
        splits = _splits(desk.dataset)
    st.caption(honesty(entry, desk.dataset, splits))
    if not splits:
        st.info("Choose one split or more.", icon=":material/filter_alt:")
        return
    store = LabelErrorStore(resources.home().cache)
    kept = [store.load(entry.folder, desk.dataset, split) for split in splits]
    known = [part for part in kept if part is not None]
    if len(known) < len(splits):
        _not_ranked(desk, entry, splits)
    else:
        _ranking(desk, entry, splits, joined(known))


def ranking_work(
    store: DatasetStore, name: str, model: Path, splits: list[Split], cache: Path
) -> Work:
    """The work of finding the label errors of splits."""

    def work(progress: Progress) -> str:
        dataset = store.open(name)
        sizes = np.cumsum([0, *(len(dataset.indices(split)) for split in splits)])
        found = [
            LabelErrorStore(cache).get(
                model,
                dataset,
                split,
                progress=part_of(progress, sizes[at] / sizes[-1], sizes[at + 1] / sizes[-1]),
            )
            for at, split in enumerate(splits)
        ]
        return f"The labels of {joined(found).num_images:,} images are ranked."

    return work


def honesty(entry: ModelEntry, dataset: Dataset, splits: list[Split]) -> str:
    """How far a model's doubts about splits can be trusted, in a few sentences."""
    contract = entry.contract()
    if dataset.meta.fingerprint not in contract.learned_from:
        drawn = " of drawn faces" if contract.synthetic else ""
        words = [
            f"The network learned from other data{drawn}. If some of these images were among them, "
            "nobody can tell."
        ]
    else:
        words = []
        if set(splits) - {Split.TRAIN}:
            words.append(
                "Validation and test images are out of sample, save for copies of training images."
            )
        if Split.TRAIN in splits:
            words.append(
                "Training images were: the network has learned many of their wrong labels by "
                "heart, so the order is still useful, but the scores are optimistic and fewer "
                "errors are found."
            )
    words.append(
        "What a model doubts is a hint, not a verdict: its own mistakes are listed too. Look "
        "before you edit, and do not judge a model by labels that it has chosen itself."
    )
    return " ".join(words)


def ranking_table(desk: Desk, found: LabelErrors) -> pd.DataFrame:
    """The ranking, a row for each image, ready to be exported."""
    table = image_table(desk, found.indices)
    table.insert(2, "suggested", [NAMES[code] for code in found.suggested])
    table.insert(3, "score", found.scores.round(4))
    table.insert(0, "rank", np.arange(1, len(found) + 1))
    return table


def taggers_say(dataset: Dataset, found: LabelErrors, splits: list[Split]) -> str:
    """How many of the first images the FER+ taggers call otherwise too, as a sentence.

    Args:
        dataset: The dataset; without votes there is nothing to say.
        found: The ranking of its splits.
        splits: Which.
    """
    first = found.indices[:_CHECKED]
    if dataset.votes is None or not len(first):
        return ""
    emotion, clear = ferplus.majority(dataset.votes)
    differs = clear & (emotion != dataset.labels)
    judged = np.isin(dataset.split_codes, [SPLITS.index(split) for split in splits])
    share, usual = (views.percent(float(differs[among].mean())) for among in (first, judged))
    return (
        f"Of the first {len(first)}, {share} have an FER+ majority for another label; of all "
        f"judged, {usual}."
    )


def _model(entries: dict[str, ModelEntry]) -> str:
    active = resources.models().active()
    first = active.reference if active and active.reference in entries else next(iter(entries))
    return st.selectbox(
        "Model",
        list(entries),
        index=list(entries).index(first),
        # Nothing that changes, such as which is active: Streamlit remembers the choice by it.
        format_func=lambda name: entries[name].name,
        key="label_errors_model",
        width=300,
        persist_state="session",
    )


def _splits(dataset: Dataset) -> list[Split]:
    present = [split for split in SPLITS if len(dataset.indices(split))]
    unseen = [split for split in present if split is not Split.TRAIN]
    chosen = st.pills(
        "Splits",
        present,
        selection_mode="multi",
        default=unseen or present,
        format_func=SPLIT_TITLES.__getitem__,
        key="label_errors_splits",
        persist_state="session",
    )
    return [split for split in present if split in chosen]


def _not_ranked(desk: Desk, entry: ModelEntry, splits: list[Split]) -> None:
    if resources.jobs().is_running(_KIND):
        views.under_way("The labels are being ranked")
        return
    number = sum(len(desk.dataset.indices(split)) for split in splits)
    views.offer(
        "These labels are not ranked yet",
        f"The model answers {number:,} images once, in the background; 7,000 take about ten "
        "seconds.",
        "Rank the labels",
        "fact_check",
        key="label_errors_rank",
        on_click=_start,
        args=(desk.dataset.name, entry, splits),
    )


def _start(name: str, entry: ModelEntry, splits: list[Split]) -> None:
    cache = resources.home().cache
    work = ranking_work(resources.datasets(), name, entry.folder, splits, cache)
    resources.jobs().try_start(_KIND, f"Label errors of {name} by {entry.name}", work)


def _ranking(desk: Desk, entry: ModelEntry, splits: list[Split], found: LabelErrors) -> None:
    share = views.percent(found.num_expected / found.num_images)
    st.markdown(
        f"The model contradicts **{len(found):,}** of {found.num_images:,} labels, the surest "
        f"contradictions first. Confident learning expects about **{found.num_expected:,}** labels "
        f"({share}) to be wrong. {taggers_say(desk.dataset, found, splits)}"
    )
    if not len(found):
        st.success("The model agrees with every label.", icon=":material/check_circle:")
        return
    pages = Pages(f"label_errors_page_{entry.reference}", _NUM_IMAGES)
    shown = pages.shown(len(found))
    with st.container(horizontal=True, vertical_alignment="center"):
        tables.download(
            partial(ranking_table, desk, found),
            f"{desk.dataset.name}-label-errors-{entry.name}",
            label="Ranking as CSV",
        )
        look.link(desk, "Likely label errors", found.indices[: found.num_expected], key="le_look")
        _edit_page(desk, found, shown)
    notes = [
        f"{EMOTIONS[given].title} → {EMOTIONS[suggested].title}"
        for given, suggested in zip(found.given[shown], found.suggested[shown], strict=True)
    ]
    sheet = gallery.sheet(desk.dataset, found.indices[shown], desk.overlay, notes)
    st.caption("Below each image its label → what the model suggests.")
    chosen = grid.faces(sheet, key="label_errors_grid", cell=104, current=detail.last())
    if chosen is not None:
        suggested = dict(zip(found.indices.tolist(), found.suggested.tolist(), strict=True))
        detail.show(desk, chosen, found.indices, pages, suggested=suggested)


def _edit_page(desk: Desk, found: LabelErrors, shown: slice) -> None:
    """Two buttons that edit the images of this page that no edit has touched yet."""
    touched = desk.overlay.excluded | set(desk.overlay.relabelled)
    left = {
        int(index): int(code)
        for index, code in zip(found.indices[shown], found.suggested[shown], strict=True)
        if int(index) not in touched
    }
    for label, icon, edit in (
        ("Exclude this page", "block", overlay.exclude(left, note=_NOTE)),
        ("Relabel this page as suggested", "label", overlay.relabel_each(left, note=_NOTE)),
    ):
        st.button(
            f"{label} ({len(left)})",
            key=f"label_errors_{icon}",
            icon=f":material/{icon}:",
            disabled=not left,
            help="The images of this page that are not edited yet. Look at them first. It can be "
            "undone under Edits.",
            on_click=change,
            args=(edit,),
        )
