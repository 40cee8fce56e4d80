"""Stress: what is left of the accuracy when faces get worse, held against other models."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import charts, resources, tables, views
from app.charts import SPLIT_TITLES
from app.evaluation import stress_charts, stress_faces
from app.evaluation.desk import Desk
from app.jobs import Work
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from pipeline.evaluation.stress import NUM_IMAGES, StressReport, StressStore, subset
from pipeline.labels import EMOTIONS
from pipeline.progress import Progress
from pipeline.recognition.contract import CONTRACT, MODEL_ONNX

_KIND = "stress"
_ALL = ""
_ROWS = 4
_SEED = "stress_faces_seed"


def tab(desk: Desk) -> None:
    """The figures, the curves and the faces, or how to get them."""
    if desk.dataset is None:
        views.empty_state(
            "The stress bench needs the images",
            "Only the stored figures of this model are known here. Import the dataset on the "
            "overview, and choose it above.",
        )
        return
    store = StressStore(resources.home().cache)
    report = store.load(desk.entry.folder, desk.dataset, desk.split)
    if report is None:
        _not_run(desk, desk.dataset)
        return
    reports = [report, *_others(desk, desk.dataset)]
    _figures(report)
    _table(desk, reports)
    _corruption(desk, desk.dataset, reports)
    _all(desk, report)


def stress_work(model: Path, datasets: DatasetStore, name: str, split: Split, cache: Path) -> Work:
    """The work of running the stress bench."""

    def work(progress: Progress) -> str:
        found = StressStore(cache).get(model, datasets.open(name), split, progress=progress)
        if found.robustness is None:
            return "The stress bench is done; no answer was right to begin with."
        return f"{views.percent(found.robustness)} of the accuracy is left on average."

    return work


def model_table(reports: list[StressReport]) -> pd.DataFrame:
    """The figures of models, a row each, the most robust first."""
    rows = [
        {
            "model": report.model,
            "robustness %": _percent(report.robustness),
            "95 % interval": "—"
            if report.robustness_ci95 is None
            else views.interval(*report.robustness_ci95),
            "accuracy under stress %": _percent(report.mean_accuracy),
            "accuracy as they are %": _percent(report.clean_accuracy),
            "changed answers %": _percent(report.changed),
        }
        for report in reports
    ]
    table = pd.DataFrame(rows)
    return table.sort_values("robustness %", ascending=False, ignore_index=True)


def corruption_table(report: StressReport) -> pd.DataFrame:
    """Accuracy and changed answers under every corruption, a row each."""
    rows = []
    for name, score in report.corruptions.items():
        clean, *worse = stress_charts.accuracies(report, name)
        row: dict[str, Any] = {"corruption": CORRUPTIONS[name].title, "0": _percent(clean)}
        row |= {str(s): _percent(share) for s, share in zip(STRENGTHS, worse, strict=True)}
        row["mean"] = _percent(float(np.mean(worse)))
        row["left %"] = _percent(float(np.mean(worse)) / clean if clean else None)
        row["changed %"] = _percent(float(np.mean(score.changed)))
        rows.append(row)
    return pd.DataFrame(rows)


def _not_run(desk: Desk, dataset: Dataset) -> None:
    number = min(NUM_IMAGES, len(dataset.indices(desk.split)))
    steps = len(CORRUPTIONS) * len(STRENGTHS)
    if resources.jobs().is_running(_KIND):
        views.under_way("The stress bench is running")
        return
    views.offer(
        "The stress bench has not been run for this model and split",
        f"The model answers {number:,} faces again and again: in worse light, blurred, "
        f"compressed, turned, partly hidden; {steps} times in all. It takes a minute or two and "
        "is done once.",
        "Run the stress bench",
        "bolt",
        key="stress_run",
        on_click=_start,
        args=(desk, dataset.name),
    )


def _start(desk: Desk, name: str) -> None:
    home = resources.home()
    work = stress_work(desk.entry.folder, resources.datasets(), name, desk.split, home.cache)
    title = f"Stress bench of {desk.entry.name} on {name}, {SPLIT_TITLES[desk.split].lower()}"
    resources.jobs().try_start(_KIND, title, work)


def _figures(report: StressReport) -> None:
    figures = [
        (
            "Robustness",
            report.robustness,
            report.robustness_ci95,
            "The share of the accuracy that is left on average over all corruptions and "
            "strengths: accuracy under stress divided by accuracy on the faces as they are. After "
            "Hendrycks and Dietterich, 2019. A model that knows little has little to lose, so "
            "look at the accuracy too.",
        ),
        (
            "Accuracy under stress",
            report.mean_accuracy,
            report.mean_ci95,
            "The mean accuracy over all corruptions and strengths, each counting alike.",
        ),
        (
            "Accuracy as they are",
            report.clean_accuracy,
            report.clean_ci95,
            "On the same faces, unchanged.",
        ),
        (
            "Changed answers",
            report.changed,
            None,
            "The share of answers that differ from that on the face as it is, whether right or "
            "wrong.",
        ),
    ]
    with st.grid(4, min_column_width=160, gap="small"):
        for label, value, interval, text in figures:
            views.figure(
                label,
                "—" if value is None else views.percent(value),
                "" if interval is None else views.interval(*interval),
                help=text,
            )
    synthetic = f" {views.SYNTHETIC_BADGE}" if report.dataset.synthetic else ""
    st.caption(
        f"{report.num_samples:,} images of {views.plain(report.dataset.name)}{synthetic}, "
        f"{SPLIT_TITLES[Split(report.split)].lower()}: each class by its share, the same for every "
        "model, by the official labels and without test-time augmentation. Below the figures "
        "their 95 % intervals."
    )


def _table(desk: Desk, reports: list[StressReport]) -> None:
    tables.plain_table(
        "Models on these faces", model_table(reports), f"{desk.slug}-stress-models", what="Models"
    )
    if len(reports) == 1:
        st.caption("Run the bench for other models too, and they are compared here.")


def _corruption(desk: Desk, dataset: Dataset, reports: list[StressReport]) -> None:
    chosen = st.selectbox(
        "Corruption",
        [_ALL, *CORRUPTIONS],
        format_func=lambda name: CORRUPTIONS[name].title if name else "Mean of all",
        key="stress_corruption",
        persist_state="session",
        width=240,
    )
    st.plotly_chart(
        stress_charts.curves(reports, chosen or None),
        config=charts.CONFIG,
        key="stress_curves",
        alt=stress_charts.curves_text(reports, chosen or None),
    )
    if not chosen:
        st.caption("Choose a corruption to see what it does to faces.")
        return
    seed = int(st.session_state.get(_SEED, 0))
    faces = np.random.default_rng(seed).permutation(subset(dataset, desk.split))[:_ROWS]
    with st.container(horizontal=True, vertical_alignment="center"):
        views.heading(
            "What the model says",
            below=":small[:gray[✓ as labelled, ✗ otherwise. The labels: "
            + ", ".join(EMOTIONS[int(dataset.labels[index])].name for index in faces)
            + ".]]",
            width="stretch",
        )
        st.button(
            "Other faces",
            key="stress_other_faces",
            icon=":material/casino:",
            on_click=_next_faces,
        )
    st.html(
        stress_faces.strip(
            resources.classifier(desk.entry.folder),
            np.asarray(dataset.images[faces]),
            np.asarray(dataset.labels[faces]),
            chosen,
        )
    )


def _next_faces() -> None:
    st.session_state[_SEED] = int(st.session_state.get(_SEED, 0)) + 1


def _all(desk: Desk, report: StressReport) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        views.heading(
            "Accuracy under every corruption",
            below=":small[:gray[The stronger the colour, the more is lost.]]",
            width="stretch",
        )
        tables.download(
            lambda: corruption_table(report), f"{desk.slug}-stress", label="Accuracies as CSV"
        )
    st.plotly_chart(
        stress_charts.heat(report),
        config=charts.CONFIG,
        key="stress_heat",
        alt="Accuracy under every corruption at every strength; the table below, once opened, has "
        "the numbers",
    )
    views.fold(
        "As a table, in per cent",
        "table",
        partial(_numbers, report),
        key="stress_numbers",
    )


def _numbers(report: StressReport) -> None:
    tables.data_frame(
        corruption_table(report),
        key="stress_table",
        alt="Accuracy under every corruption at every strength, in per cent",
    )


def _others(desk: Desk, dataset: Dataset) -> list[StressReport]:
    """The kept reports of the other models on the same images, the most robust first."""
    folders = [
        entry.folder
        for entry in resources.models().list()
        if entry.folder.resolve() != desk.entry.folder.resolve()
    ]
    cache = resources.home().cache
    stamps = [_stamp(folder / name) for folder in folders for name in (MODEL_ONNX, CONTRACT)]
    # The folder's time changes with each report that is kept in it.
    key = (tuple(folders), (*stamps, _stamp(cache / "stress")))
    return list(_kept(*key, cache, dataset.name, dataset.meta.fingerprint, desk.split))


@lru_cache(maxsize=8)
def _kept(
    folders: tuple[Path, ...],
    stamps: tuple[int, ...],
    cache: Path,
    dataset: str,
    fingerprint: str,
    split: Split,
) -> tuple[StressReport, ...]:
    # To hash every model takes a while: not again in each run of the page.
    found = []
    for folder in folders:
        try:
            report = StressStore(cache).load(folder, resources.dataset(dataset), split)
        except OSError:
            continue  # deleted just now
        if report is not None:
            found.append(report)
    return tuple(sorted(found, key=lambda report: -(report.robustness or 0)))


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
