"""What all tabs of the evaluation page work with: a model's answers on a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import resources, views
from app.evaluation.choice import Choice
from app.jobs import Work
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import Overlay
from pipeline.evaluation import EvaluationReport, Predictions, PredictionStore
from pipeline.evaluation.edited import edited
from pipeline.evaluation.predictions import fingerprint
from pipeline.progress import Progress
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract

_KIND = "scoring"
_STARTED = "scorings_started"

Question = tuple[str, str, Split, str]
"""Model, dataset (their fingerprints), split and augmentation: what an answer depends on."""


@dataclass(frozen=True)
class Desk:
    """A model and a split, and what is known of the two together.

    Attributes:
        entry: The model.
        contract: Its contract.
        dataset: The dataset as it was imported; `None` if only the report that
            the model came with is shown.
        overlay: The edits of the dataset; `None` without a dataset.
        use_edits: Whether `report` and `predictions` are of the edited labels.
        split: Which part of the dataset.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
        report: The figures, by the model's own threshold; `None` until they are
            known.
        predictions: The answers, judged by the labels that are chosen; their
            indices are those of `dataset`. `None` without a dataset, or until
            the images are scored.
        official: The same judged by the imported labels.
    """

    entry: ModelEntry
    contract: ModelContract
    dataset: Dataset | None
    overlay: Overlay | None
    use_edits: bool
    split: Split
    tta: str
    report: EvaluationReport | None
    predictions: Predictions | None
    official: Predictions | None

    @property
    def edits(self) -> Overlay:
        """The edits that count here: none by the official labels."""
        if self.use_edits and self.overlay is not None:
            return self.overlay
        return Overlay(self.dataset.meta.fingerprint if self.dataset else "")

    @property
    def slug(self) -> str:
        """Begins the names of files that are saved from here."""
        parts = [self.entry.name, self.split.value]
        if self.tta != "none":
            parts.append(self.tta)
        return "-".join([*parts, "edited"] if self.use_edits else parts)


def open_desk(choice: Choice) -> Desk:
    """Finds what is known, and starts to score the images if that is still to be done.

    Raises:
        OSError: If the model cannot be read.
        DatasetError: If the edits leave no image of the split.
    """
    dataset = choice.dataset
    if dataset is None:
        return _desk(choice, choice.stored.get(choice.split), None)
    official = PredictionStore(resources.home().cache).load(
        choice.entry.folder, dataset, choice.split, tta=choice.tta
    )
    if official is not None:
        return _desk(choice, _report(choice, dataset, official), official)
    _start_once(choice, dataset)
    return _desk(choice, _stored_report(choice, dataset), None)


def scoring_work(
    model: Path, datasets: DatasetStore, name: str, split: Split, tta: str, cache: Path
) -> Work:
    """The work of scoring a split."""

    def work(progress: Progress) -> str:
        found = PredictionStore(cache).get(
            model, datasets.open(name), split, tta=tta, progress=progress
        )
        return f"The answers to {len(found):,} images are ready."

    return work


def is_scoring() -> bool:
    """Whether images are being scored just now, for whatever model."""
    return resources.jobs().is_running(_KIND)


def not_scored(desk: Desk, what: str) -> None:
    """Says that the answers to single images are not known, and what can be done about it.

    Args:
        desk: What is on the page.
        what: What is missing, as the subject of a sentence in the plural.
    """
    if desk.dataset is None:
        views.empty_state(
            f"{what} are not here",
            "Only the stored figures of this model are. Import the dataset on the overview, and "
            "choose it above.",
        )
    elif is_scoring():
        views.under_way(f"{what} are on their way")
    else:
        views.offer(
            f"{what} are not known yet",
            f"The model has to answer the {len(desk.dataset.indices(desk.split)):,} images of "
            "this split, which is done once.",
            "Score the images",
            "play_arrow",
            key="score_images",
            on_click=_start,
            args=(desk.entry, desk.dataset.name, desk.split, desk.tta),
        )


def _desk(choice: Choice, report: EvaluationReport | None, official: Predictions | None) -> Desk:
    predictions = official
    if official is not None and choice.use_edits and choice.overlay is not None:
        predictions = edited(official, choice.overlay)
    return Desk(
        entry=choice.entry,
        contract=choice.contract,
        dataset=choice.dataset,
        overlay=choice.overlay,
        use_edits=choice.use_edits,
        split=choice.split,
        tta=choice.tta,
        report=report,
        predictions=predictions,
        official=official,
    )


def _stored_report(choice: Choice, dataset: Dataset) -> EvaluationReport | None:
    """The report that the model came with, if it is of these very images and labels."""
    stored = choice.stored.get(choice.split)
    if stored is None or choice.use_edits or choice.tta != stored.tta:
        return None
    return stored if stored.dataset.fingerprint == dataset.meta.fingerprint else None


def _report(choice: Choice, dataset: Dataset, official: Predictions) -> EvaluationReport:
    overlay = choice.overlay if choice.use_edits else None
    with st.spinner("Summing up"):
        return resources.report(
            (*_question(choice, dataset), overlay.version if overlay else None),
            official,
            dataset,
            overlay,
            choice.contract.unsure_below,
        )


def _question(choice: Choice, dataset: Dataset) -> Question:
    return (
        fingerprint(choice.entry.folder),
        dataset.meta.fingerprint,
        choice.split,
        choice.tta,
    )


def _start_once(choice: Choice, dataset: Dataset) -> None:
    """Starts by itself only once a session, so that whoever cancels it is not asked again."""
    started: set[Question] = st.session_state.setdefault(_STARTED, set())
    question = _question(choice, dataset)
    if question not in started and _start(choice.entry, dataset.name, choice.split, choice.tta):
        started.add(question)
        # The strip of jobs above the page was drawn before there was this one.
        st.rerun()


def _start(entry: ModelEntry, dataset: str, split: Split, tta: str) -> bool:
    title = f"{entry.name} on {dataset}"
    home = resources.home()
    work = scoring_work(entry.folder, resources.datasets(), dataset, split, tta, home.cache)
    return resources.jobs().try_start(_KIND, title, work)
