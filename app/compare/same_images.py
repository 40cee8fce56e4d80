"""Models on the same images: what is asked, and what to do until the answers are there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import resources, state, views
from app.charts import SPLIT_TITLES
from app.compare import desk, flips, results
from app.compare.desk import Question
from app.compare.subjects import Subject
from pipeline.dataset import SPLITS, Dataset, Split
from pipeline.errors import DatasetError

_SPLIT_HELP = (
    "Compare on validation. The test split is for the end: whoever chooses between models by it "
    "has no honest figure left to report."
)


def section(subjects: Sequence[Subject]) -> None:
    """The choosers, then the differences and the images that flipped."""
    able = [item for item in subjects if item.contract is not None]
    without = [item.name for item in subjects if item.contract is None]
    if without:
        st.caption(
            f":material/info: Without a finished model, and so left out here: "
            f"{views.plain(', '.join(without))}."
        )
    if len(able) < 2:
        views.empty_state(
            "It takes two models",
            "A run has one when it has finished or was stopped; its curves and settings compare "
            "before that.",
        )
        return
    names = resources.datasets().names()
    if not names:
        views.empty_state(
            "No dataset here",
            "The other tabs need none. To hold the models against the same images, get a dataset "
            "on the overview.",
        )
        return
    question = _ask(able, names)
    if question is None:
        return
    _cautions(question)
    found = desk.answers(question)
    if found is None:
        _not_answered(question)
        return
    results.view(found)
    flips.view(found)


def _ask(able: Sequence[Subject], names: list[str]) -> Question | None:
    by_name = {item.name: item for item in able}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        baseline = _choice("Baseline", list(by_name), "compare_baseline", next(iter(by_name)))
        first = _trained_on(by_name[baseline], names)
        key = f"compare_dataset_{baseline}"  # a choice for another baseline is none for this one
        dataset = resources.dataset(_choice("Dataset", names, key, first))
        splits = [split for split in SPLITS if len(dataset.indices(split))]
        usual = Split.VALIDATION if Split.VALIDATION in splits else splits[0]
        split = st.selectbox(
            "Split",
            splits,
            index=splits.index(usual),
            key=f"compare_split_{'_'.join(splits)}",
            persist_state="session",
            format_func=SPLIT_TITLES.__getitem__,
            help=_SPLIT_HELP,
            width=180,
        )
    return Question(tuple(able), baseline, dataset, Split(split)) if split else None


def _choice(label: str, options: list[str], key: str, first: str) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = first
    return str(st.selectbox(label, options, key=key, width=240, persist_state="session"))


def _trained_on(baseline: Subject, names: list[str]) -> str:
    """The dataset that the baseline learned from, else the active one."""
    for name in names:
        try:
            if resources.datasets().meta(name).fingerprint == baseline.data_fingerprint:
                return name
        except DatasetError:
            continue  # a damaged one; who chooses it is told so
    return state.active_dataset(resources.home(), resources.datasets()) or names[0]


def _cautions(question: Question) -> None:
    if question.dataset.meta.synthetic:
        st.caption(f"{views.SYNTHETIC_BADGE} {views.SYNTHETIC_HELP}")
    if question.split is Split.TEST:
        st.warning(
            "The test split is for the end. Choosing between models by it spoils it: report it "
            "once, for the one that validation chose.",
            icon=":material/flag:",
        )
    if question.split is Split.TRAIN:
        st.warning(
            "Most networks have seen these images in training: differences here speak of what "
            "they remember, not of how they do on new faces.",
            icon=":material/school:",
        )
    strangers = _strangers(question.subjects, question.dataset)
    if strangers:
        st.caption(
            f":material/info: {views.plain(', '.join(strangers))} learned from other data than "
            f"{views.plain(question.dataset.name)}; whether some of these images were among them "
            "is not known."
        )


def _strangers(subjects: Sequence[Subject], dataset: Dataset) -> list[str]:
    return [item.name for item in subjects if item.learned_from != {dataset.meta.fingerprint}]


def _not_answered(question: Question) -> None:
    if desk.is_busy():
        views.under_way("The models are answering images")
        return
    wanted = desk.missing(question)
    number = len(question.dataset.indices(question.split))
    views.offer(
        "Not compared yet",
        f"{len(wanted)} of the {len(question.subjects)} models still "
        f"{'has' if len(wanted) == 1 else 'have'} to answer these {number:,} images. It is done "
        "once, in the background.",
        "Compare on these images",
        "play_arrow",
        key="compare_start",
        on_click=desk.begin,
        args=(question, wanted),
    )
