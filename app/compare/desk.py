"""The answers of several models to the same images: found, or computed in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app import resources
from app.compare.subjects import Subject
from app.jobs import Work
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.evaluation import Predictions, PredictionStore
from pipeline.evaluation.comparison import Comparison
from pipeline.evaluation.predictions import fingerprint
from pipeline.home import Home
from pipeline.progress import Progress

_KIND = "comparison"


@dataclass(frozen=True)
class Question:
    """What is asked on the page.

    Attributes:
        subjects: The models, the baseline among them.
        baseline: Its name.
        dataset: The dataset as it was imported.
        split: Which part of it.
    """

    subjects: tuple[Subject, ...]
    baseline: str
    dataset: Dataset
    split: Split


@dataclass(frozen=True)
class Answers:
    """What is known of it.

    Attributes:
        question: The question.
        predictions: The models' answers, by name.
        comparison: What they come to.
    """

    question: Question
    predictions: dict[str, Predictions]
    comparison: Comparison

    def subject(self, name: str) -> Subject:
        """The model of that name."""
        return next(item for item in self.question.subjects if item.name == name)


def missing(question: Question) -> list[Subject]:
    """The models that have not answered these images yet.

    Raises:
        OSError: If a model cannot be read.
    """
    return [item for item in question.subjects if _load(question, item) is None]


def answers(question: Question) -> Answers | None:
    """What the answers come to; `None` while some are missing.

    Raises:
        OSError: If a model cannot be read.
    """
    found = {item.name: _load(question, item) for item in question.subjects}
    known = {name: item for name, item in found.items() if item is not None}
    if len(known) < len(found):
        return None
    key = (
        *(part for item in question.subjects for part in (item.name, fingerprint(item.folder))),
        question.dataset.meta.fingerprint,
        question.split.value,
        question.baseline,
    )
    with st.spinner("Comparing"):
        comparison = resources.comparison(key, known, question.dataset, question.baseline)
    return Answers(question, known, comparison)


def begin(question: Question, wanted: Sequence[Subject]) -> None:
    """Starts to compute the answers of models; only one such job runs at a time."""
    names = ", ".join(item.name for item in wanted)
    work = scoring_work(resources.home(), wanted, question.dataset.name, question.split)
    resources.jobs().try_start(_KIND, f"Answers of {names}", work)


def is_busy() -> bool:
    """Whether answers are being computed just now."""
    return resources.jobs().is_running(_KIND)


def scoring_work(home: Home, wanted: Sequence[Subject], name: str, split: Split) -> Work:
    """The work of letting models answer the images of a split, one model after another."""

    def work(progress: Progress) -> str:
        dataset, store = DatasetStore(home.data).open(name), PredictionStore(home.cache)
        number = len(dataset.indices(split))
        for place, item in enumerate(wanted):

            def report(
                done: float, total: float | None, text: str = "", place: int = place
            ) -> None:
                progress(place * number + done, len(wanted) * number, f"{wanted[place].name}")

            store.get(item.folder, dataset, split, progress=report)
        return f"{len(wanted)} models answered {number:,} images; the comparison is ready."

    return work


def _load(question: Question, item: Subject) -> Predictions | None:
    store = PredictionStore(resources.home().cache)
    return store.load(item.folder, question.dataset, question.split)
