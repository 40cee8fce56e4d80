"""Errors: the answers that deserve a look, each image at large, and labels put right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app import resources, state, tables, views
from app.dataset_page import gallery, grid
from app.dataset_page.desk import change, load_desk, trouble
from app.dataset_page.edits import describe
from app.dataset_page.gallery import Indices
from app.dataset_page.grid import Pages
from app.evaluation import errors_detail
from app.evaluation.desk import Desk, not_scored
from app.jobs import Work
from app.training import draft
from app.training.edits import words as edit_words
from pipeline.dataset import Dataset, DatasetStore, Split, ferplus, overlay
from pipeline.dataset.overlay import LATEST
from pipeline.evaluation import Predictions
from pipeline.evaluation.edited import edited
from pipeline.evaluation.label_errors import find_label_errors
from pipeline.evaluation.mistakes import confident_mistakes, narrowed, unsure_hits
from pipeline.evaluation.neighbours import FeatureStore
from pipeline.labels import EMOTIONS, NAMES
from pipeline.progress import Progress

_KIND = "features"
_PAGE_SIZE = 48


@dataclass(frozen=True)
class Ranking:
    """A list of answers.

    Attributes:
        places: Places in the predictions, in order.
        about: What it is and what to make of it.
    """

    places: Indices
    about: str


def mistakes(found: Predictions) -> Ranking:
    """The wrong answers."""
    return Ranking(
        confident_mistakes(found),
        "Where the model is sure and wrong: either it has learned something wrong, or the label "
        "is.",
    )


def hits(found: Predictions) -> Ranking:
    """The right answers."""
    return Ranking(
        unsure_hits(found),
        "Right by a hair: the next training may lose them. Often people do not agree either.",
    )


def label_errors(found: Predictions) -> Ranking:
    """The labels that the answers contradict most."""
    with st.spinner("Ranking the labels"):
        doubts = find_label_errors(found.probabilities, found.labels, found.indices)
    learned = (
        " The model learned from these very images, and some wrong labels by heart: it doubts "
        "fewer of them than a model that did not would."
        if found.split is Split.TRAIN
        else ""
    )
    return Ranking(
        np.searchsorted(found.indices, doubts.indices),
        f"Confident learning (Northcutt et al., 2021) expects about {doubts.num_expected:,} of "
        f"these {doubts.num_images:,} labels to be wrong; the likeliest come first. Where the "
        f"model mistakes one class for another throughout, it expects too many.{learned}",
    )


LISTS: dict[str, Callable[[Predictions], Ranking]] = {
    "Most confident mistakes": mistakes,
    "Least confident hits": hits,
    "Likely label errors": label_errors,
}


def tab(desk: Desk) -> None:
    """A list of images, chosen and filtered, and what edits come to."""
    if desk.dataset is None or desk.predictions is None:
        not_scored(desk, "The answers to single images")
        return
    load_desk(desk.dataset.name)  # edits from here are of the version that is shown
    trouble()
    title = st.segmented_control(
        "List",
        list(LISTS),
        default=next(iter(LISTS)),
        required=True,
        key="errors_kind",
        bind="query-params",
    )
    ranking = LISTS[str(title)](desk.predictions)
    st.caption(ranking.about)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        labels, predicted = (_classes(word) for word in ("True", "Predicted"))
        places = narrowed(desk.predictions, ranking.places, labels=labels, predicted=predicted)
        indices = desk.predictions.indices[places]
        pages = Pages(f"errors_page_{title}", _PAGE_SIZE)
        if st.button(
            "Look through",
            key="errors_look",
            icon=":material/slideshow:",
            type="primary",
            disabled=not len(places),
            help="One image after the other at large, in this order; → and ← go on and back.",
        ):
            errors_detail.look_through(desk, indices, pages)
        name = f"{desk.slug}-{str(title).lower().replace(' ', '-')}"
        tables.download(lambda: image_table(desk, places), name, label="List as CSV")
    _edits(desk, desk.dataset)
    _grid(desk, desk.predictions, desk.dataset, places, pages)
    _features(desk, desk.dataset)


def image_table(desk: Desk, places: Indices) -> pd.DataFrame:
    """Images with their answers and votes, a row each in the order of the list."""
    found, dataset = desk.predictions, desk.dataset
    if found is None or dataset is None:
        return pd.DataFrame()
    indices = found.indices[places]
    table = pd.DataFrame(
        {
            "index": indices,
            "origin": [dataset.origin(int(index)) for index in indices],
            "label": [NAMES[code] for code in found.labels[places]],
            "predicted": [NAMES[code] for code in found.predicted[places]],
            "confidence": found.confidence[places].round(4),
        }
    )
    shares = pd.DataFrame(
        found.probabilities[places].round(4), columns=[f"p_{name}" for name in NAMES]
    )
    parts = [table, shares]
    if dataset.votes is not None:
        columns = [f"votes_{name}" for name in ferplus.COLUMNS]
        parts.append(pd.DataFrame(dataset.votes[indices], columns=columns))
    return pd.concat(parts, axis=1)


def features_work(model: Path, datasets: DatasetStore, name: str, cache: Path) -> Work:
    """The work of reading the training faces with the network."""

    def work(progress: Progress) -> str:
        features = FeatureStore(cache).compute(model, datasets.open(name), progress=progress)
        return f"What the network sees in {len(features):,} training faces is known."

    return work


def _classes(word: str) -> list[int]:
    return st.multiselect(
        word,
        range(len(EMOTIONS)),
        format_func=lambda code: EMOTIONS[code].title,
        placeholder="Any",
        key=f"errors_{word.lower()}",
        width=200,
        bind="query-params",
    )


def _grid(desk: Desk, found: Predictions, dataset: Dataset, places: Indices, pages: Pages) -> None:
    if not len(places):
        st.info("No image passes these filters: widen one of them.", icon=":material/filter_alt:")
        return
    st.markdown(f"**{len(places):,}** images; below each its label → the model's answer")
    shown = places[pages.shown(len(places))]
    edits = desk.overlay or overlay.Overlay(dataset.meta.fingerprint)
    notes = [note(found, place) for place in shown]
    sheet = gallery.sheet(dataset, found.indices[shown], edits, notes)
    chosen = grid.faces(sheet, key="errors_grid", cell=120, current=errors_detail.last())
    if chosen is not None:
        errors_detail.show(desk, chosen, found.indices[places], pages)


def note(found: Predictions, place: int) -> str:
    """Label, answer and its probability, as short as they fit below a face."""
    label, answer = (EMOTIONS[int(of[place])].title for of in (found.labels, found.predicted))
    return f"{label} → {answer} {100 * float(found.confidence[place]):.0f} %"


def _edits(desk: Desk, dataset: Dataset) -> None:
    """What the edits come to, and what to do with them."""
    made = desk.overlay
    if made is None or not (made.excluded or made.relabelled):
        st.caption(
            "Choose an image to see why, and to relabel or exclude it. Edits are kept beside the "
            "dataset, which itself is never changed."
        )
        return
    with st.container(border=True, key="errors_edits"):
        st.markdown(
            f"**Your edits** (version {made.version}): {edit_words(made)}. {difference(desk)}"
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Train with them", key="errors_train", icon=":material/model_training:"):
                home = resources.home()
                state.remember(home, active_dataset=dataset.name)
                draft.choose_edits(home, dataset.name, LATEST)
                st.switch_page("pages/train.py")
            st.button(
                "Undo the last edit",
                key="errors_undo",
                icon=":material/undo:",
                disabled=made.last is None,
                help=None if made.last is None else describe(made.last),
                on_click=change,
                args=(overlay.undo(),),
            )


def difference(desk: Desk) -> str:
    """What the edits do to the accuracy on this split, in words."""
    if desk.official is None or desk.overlay is None:
        return ""
    judged = edited(desk.official, desk.overlay)
    if judged is desk.official or (
        np.array_equal(judged.labels, desk.official.labels) and len(judged) == len(desk.official)
    ):
        return "None of them is in this split, so its figures stay."
    if not len(judged):
        return "They leave no image of this split."
    before, after = (float(found.is_right.mean()) for found in (desk.official, judged))
    return (
        f"Accuracy on this split: **{views.percent(before)}** by the official labels, "
        f"**{views.percent(after)}** by yours; “Labels” above says by which everything is judged. "
        "Only official figures compare with those of others."
    )


def _features(desk: Desk, dataset: Dataset) -> None:
    """Offers to learn what the network sees in the training faces."""
    if errors_detail.kept_features(desk, dataset) is not None:
        return
    if resources.jobs().is_running(_KIND):
        st.caption("The network is reading training faces; how far it is stands above the page.")
        return
    if desk.contract.is_ensemble:
        st.caption(
            "An image at large shows the nearest training faces by their pixels: an ensemble has "
            "no features of its own to compare them by. Evaluate one of its members for that."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "An image at large shows the nearest training faces: so far by their pixels, which "
            "say more of pose than of expression. The network can read all training faces once "
            "and tell by what it sees itself.",
            width="stretch",
        )
        st.button(
            "Let the network read them",
            key="errors_features",
            icon=":material/hub:",
            on_click=_start_features,
            args=(desk, dataset.name),
        )


def _start_features(desk: Desk, name: str) -> None:
    work = features_work(desk.entry.folder, resources.datasets(), name, resources.home().cache)
    title = f"Training faces of {name}, as {desk.entry.name} sees them"
    resources.jobs().try_start(_KIND, title, work)
