"""Ensembles: what the mean answer of several models gains and costs; saving it as a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import charts, resources, tables, views
from app.charts import SPLIT_TITLES
from app.evaluation import ensemble_charts, ensemble_shelf
from app.evaluation.choice import TTA_TITLES
from app.evaluation.desk import Desk
from app.evaluation.ensemble_shelf import Candidate
from app.jobs import Work
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.errors import PipelineError
from pipeline.evaluation import Predictions, PredictionStore
from pipeline.evaluation.ensemble import LEAST_MEMBERS, Judgement, Step, best_step
from pipeline.evaluation.predictions import fingerprint
from pipeline.progress import Progress
from pipeline.recognition.catalog import ModelEntry

_KIND = "ensemble_scoring"
_MEMBERS = "ensemble_members"
_AT_FIRST = 4
"""Members that are chosen before the user has."""

Answers = dict[Split, dict[str, Predictions]]


def tab(desk: Desk) -> None:
    """The choice of members, their gain and cost, and the ensembles that were saved."""
    if desk.dataset is None:
        views.empty_state(
            "Ensembles need the images",
            "Only the stored figures of this model are known here. Import the dataset on the "
            "overview, and choose it above.",
        )
        return
    models = usable()
    if len(models) < LEAST_MEMBERS:
        views.empty_state(
            "One model is no ensemble", "Train another one; models that err differently help most."
        )
        return
    members = _choose(desk, models)
    if len(members) < LEAST_MEMBERS:
        st.info(f"Choose {LEAST_MEMBERS} members or more.", icon=":material/groups:")
    else:
        _members(desk, desk.dataset, members)
    ensemble_shelf.saved(models)


def usable() -> dict[str, Candidate]:
    """The models that can be members, by reference; damaged ones cannot."""
    found = {}
    for entry in resources.models().list():
        try:
            found[entry.reference] = Candidate(entry, entry.contract())
        except PipelineError:
            continue  # the page names it where it is chosen itself
    return found


def scoring_work(
    members: Mapping[str, Path],
    datasets: DatasetStore,
    name: str,
    splits: tuple[Split, ...],
    tta: str,
    cache: Path,
) -> Work:
    """The work of scoring splits with several models; what is known already takes no time."""

    def work(progress: Progress) -> str:
        store, dataset = PredictionStore(cache), datasets.open(name)
        total = sum(len(dataset.indices(split)) for split in splits) * len(members)
        before = 0
        for model, folder in members.items():
            for split in splits:
                told = _told(progress, before, total, f"{model}, {SPLIT_TITLES[split].lower()}")
                before += len(store.get(folder, dataset, split, tta=tta, progress=told))
        return f"The answers of {len(members)} models are ready."

    return work


def table(found: Judgement) -> pd.DataFrame:
    """The figures of the members and of their ensemble, a row each."""
    rows = []
    best = found.members[found.best]
    for name, report in found.reports.items():
        rows.append(
            {
                "model": name,
                # Not rounded: the table rounds once, to what the verdict above it says.
                "accuracy %": 100 * report.accuracy,
                "clean accuracy %": None
                if report.clean.accuracy is None
                else 100 * report.clean.accuracy,
                "macro-F1 %": 100 * report.macro_f1,
                "NLL": report.nll,
                "ECE %": 100 * report.ece,
                "ms a face": report.latency_ms,
                "accuracy against best": 100 * (report.accuracy - best.accuracy),
            }
        )
    return pd.DataFrame(rows)


def verdict(found: Judgement) -> str:
    """What the ensemble comes to against its best member, one sentence of Markdown."""
    pair = found.against_best
    low, high = pair.accuracy.ci95
    words = {"better": "a gain", "worse": "**a loss**"}.get(
        pair.verdict, "which may be luck: no significant difference"
    )
    ensemble, best = found.ensemble, found.members[found.best]
    cost = (ensemble.latency_ms or 0) / (best.latency_ms or 1)
    return (
        f"Against its best member, {views.plain(found.best)}: "
        f"**{views.signed(100 * pair.accuracy.delta)} points of accuracy** "
        f"({views.signed(100 * low)} to {views.signed(100 * high)}), {words}; "
        f"macro-F1 {views.signed(100 * pair.macro_f1.delta)} points, "
        f"NLL {views.signed(ensemble.nll - best.nll, 3)}, "
        f"calibration error {views.signed(100 * (ensemble.ece - best.ece))} points; "
        f"**{cost:.1f} times the time** for one face."
    )


def _told(progress: Progress, before: int, whole: int, what: str) -> Progress:
    def tell(done: float, total: float | None, text: str = "") -> None:
        progress(before + done, whole, what)

    return tell


def _choose(desk: Desk, models: dict[str, Candidate]) -> list[ModelEntry]:
    kept = [name for name in st.session_state.get(_MEMBERS, []) if name in models]
    if not kept:
        own = [desk.entry.reference] if desk.entry.reference in models else []
        drawn = desk.dataset is not None and desk.dataset.meta.synthetic
        others = [
            name
            for name, model in models.items()
            # An ensemble beside its own members would count them twice, and who learned from
            # drawings knows nothing of photographs.
            if name not in own
            and model.entry.origin != "ensemble"
            and model.contract.synthetic == drawn
        ]
        kept = [*own, *others][:_AT_FIRST]
    st.session_state[_MEMBERS] = kept
    chosen = st.multiselect(
        "Members",
        list(models),
        key=_MEMBERS,
        format_func=lambda name: models[name].entry.name,
        help="Their calibrated probabilities are averaged. They may differ in network and input.",
    )
    st.caption(
        f"On {SPLIT_TITLES[desk.split].lower()}, test-time augmentation: "
        f"{TTA_TITLES[desk.tta].lower()}, as chosen above. Choose members on "
        "validation: the test split is for the end."
    )
    return [models[name].entry for name in chosen]


def _members(desk: Desk, dataset: Dataset, members: list[ModelEntry]) -> None:
    splits = tuple(dict.fromkeys((Split.VALIDATION, desk.split)))
    if not len(dataset.indices(Split.VALIDATION)):
        views.empty_state(
            "No validation images", "The temperature of an ensemble is fitted on them."
        )
        return
    answers = _answers(desk, dataset, members, splits)
    if answers is None:
        _not_scored(desk, dataset, members, splits)
        return
    key = (
        *(fingerprint(entry.folder) for entry in members),
        dataset.meta.fingerprint,
        desk.split,
        desk.tta,
        desk.edits.version if desk.use_edits else None,
    )
    overlay = desk.overlay if desk.use_edits else None
    with st.spinner("Averaging", show_time=False):
        found, steps = resources.ensemble(
            key, answers[Split.VALIDATION], answers[desk.split], dataset, overlay
        )
    _show(desk, found, steps, members)
    ensemble_shelf.save(desk, dataset, members)


def _answers(
    desk: Desk, dataset: Dataset, members: list[ModelEntry], splits: tuple[Split, ...]
) -> Answers | None:
    """What the members answer, if it is all known."""
    store = PredictionStore(resources.home().cache)
    answers: Answers = {}
    for split in splits:
        for entry in members:
            found = store.load(entry.folder, dataset, split, tta=desk.tta)
            if found is None:
                return None
            answers.setdefault(split, {})[entry.name] = found
    return answers


def _not_scored(
    desk: Desk, dataset: Dataset, members: list[ModelEntry], splits: tuple[Split, ...]
) -> None:
    if resources.jobs().is_running(_KIND):
        views.under_way("The members are answering the images")
        return
    number = sum(len(dataset.indices(split)) for split in splits)
    views.offer(
        "Not all members have answered these images yet",
        f"Each has to answer {number:,} images in this way, which is done once.",
        "Score the members",
        "play_arrow",
        key="ensemble_score",
        on_click=_start,
        args=(desk, dataset.name, members, splits),
    )


def _start(desk: Desk, name: str, members: list[ModelEntry], splits: tuple[Split, ...]) -> None:
    folders = {entry.name: entry.folder for entry in members}
    cache = resources.home().cache
    work = scoring_work(folders, resources.datasets(), name, splits, desk.tta, cache)
    resources.jobs().try_start(_KIND, f"Scoring {len(members)} models on {name}", work)


def _show(desk: Desk, found: Judgement, steps: tuple[Step, ...], members: list[ModelEntry]) -> None:
    st.markdown(verdict(found))
    rows = table(found)
    tables.heading("Members and ensemble", rows, f"{desk.slug}-ensemble", what="Table")
    st.dataframe(
        rows,
        hide_index=True,
        key="ensemble_table",
        placeholder="—",
        alt="The scores of the members and of their ensemble",
        column_config=_COLUMNS,
    )
    left, right = st.columns(2, gap="medium")
    with left:
        views.heading("Accuracy against cost")
        st.plotly_chart(
            ensemble_charts.gain(found),
            config=charts.CONFIG,
            key="ensemble_gain",
            alt=ensemble_charts.gain_text(found),
        )
    with right:
        views.heading("As members join")
        st.plotly_chart(
            ensemble_charts.joining(steps),
            config=charts.CONFIG,
            key="ensemble_joining",
            alt=ensemble_charts.joining_text(steps),
        )
    _advice(steps, members)
    st.caption(
        f"The mean has a temperature of its own, {found.temperature:.2f}, fitted on validation. "
        "Its time is that of the members one after the other. Members join by whichever lowers "
        "the negative log-likelihood on validation most (Caruana et al., 2004)."
    )


def _advice(steps: tuple[Step, ...], members: list[ModelEntry]) -> None:
    best = best_step(steps)
    if len(best.members) == len(steps):
        return
    if len(best.members) < LEAST_MEMBERS:
        st.info(
            f"On validation, {views.plain(best.members[0])} alone does better than with any of "
            "the others.",
            icon=":material/lightbulb:",
        )
        return
    names = ", ".join(views.plain(name) for name in best.members)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/lightbulb: On validation, these do best: {names}", width="stretch")
        st.button(
            f"Keep these {len(best.members)}",
            key="ensemble_keep",
            on_click=_keep,
            args=([entry.reference for entry in members if entry.name in best.members],),
        )


def _keep(references: list[str]) -> None:
    st.session_state[_MEMBERS] = references


_COLUMNS: dict[str, Any] = {
    "model": st.column_config.TextColumn("Model", pinned=True),
    "accuracy %": st.column_config.NumberColumn("Accuracy", format="%.1f %%"),
    "clean accuracy %": st.column_config.NumberColumn("Clean accuracy", format="%.1f %%"),
    "macro-F1 %": st.column_config.NumberColumn("Macro-F1", format="%.1f %%"),
    "NLL": st.column_config.NumberColumn(
        "NLL", format="%.3f", help="Negative log-likelihood of the labels, in nats; less is better."
    ),
    "ECE %": st.column_config.NumberColumn("Calibration error", format="%.1f %%"),
    "ms a face": st.column_config.NumberColumn("One face, ms", format="%.2f"),
    "accuracy against best": st.column_config.NumberColumn(
        "Against best", format="%+.1f", help="Percentage points of accuracy."
    ),
}
