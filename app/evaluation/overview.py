"""Headline: the figures of a model on a split, and what they are to be held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from app import charts, reference_view, tables, views
from app.charts import GREY, SPLIT_TITLES
from app.evaluation.desk import Desk, not_scored
from app.reference_charts import Mark, accuracies, percent_range
from app.training import fields
from pipeline.dataset import Split
from pipeline.evaluation import EvaluationReport
from pipeline.evaluation.references import beside
from pipeline.evaluation.report import Interval


@dataclass(frozen=True)
class Figure:
    """A figure of a report as the page shows it.

    Attributes:
        title: What it is called.
        value: In `[0, 1]`, or milliseconds; `None` where there is none.
        words: The value as people write it.
        below: What stands below it.
        help: What it means.
        interval: Its 95 % interval, if known.
    """

    title: str
    value: float | None
    words: str
    below: str
    help: str
    interval: Interval | None = None


def tab(desk: Desk) -> None:
    """The figures, their chart beside others' figures, and a table to save."""
    report = desk.report
    if report is None:
        not_scored(desk, "The figures")
        return
    shown = figures(report)
    with st.grid(4, min_column_width=160, gap="small"):
        for item in shown:
            views.figure(item.title, item.words, item.below, help=item.help)
    tables.download(partial(figure_table, shown), f"{desk.slug}-figures", label="Figures as CSV")
    _beside_others(report)


def marks(report: EvaluationReport) -> list[Mark]:
    """The accuracies of a model for the chart, and that of a model that never looks."""
    found = [Mark("This model", report.accuracy, report.accuracy_ci95, symbol="diamond")]
    clean = report.clean
    if clean.accuracy is not None and clean.accuracy_ci95 is not None:
        found.append(
            Mark("This model, clean", clean.accuracy, clean.accuracy_ci95, symbol="diamond")
        )
    name, most = max(report.per_class.items(), key=lambda item: item[1].support)
    share = most.support / report.num_samples
    return [*found, Mark(f"Always “{name}”", share, color=GREY, symbol="x")]


def _beside_others(report: EvaluationReport) -> None:
    own = marks(report)
    references = beside(report)
    words = [f"{mark.name} {views.percent(mark.value)}" for mark in own]
    words += [f"{item.name} {percent_range(item)}" for item in references]
    views.heading("Accuracy beside that of others on FER-2013" if references else "Accuracy")
    st.plotly_chart(
        accuracies(own, references),
        config=charts.CONFIG,
        key="headline_accuracy",
        alt=f"Accuracy: {', '.join(words)}",
    )
    if references:
        st.caption("Of others, hollow is published and full is measured; their splits differ.")
        views.fold(
            "Where these figures come from",
            "menu_book",
            partial(reference_view.table, references),
            key="headline_sources",
        )


def provenance(desk: Desk) -> None:
    """Says, above the tabs, what was evaluated, and how far it can be believed."""
    contract, report = desk.contract, desk.report
    name = desk.dataset.meta.title if desk.dataset else report.dataset.name if report else ""
    synthetic = desk.dataset.meta.synthetic if desk.dataset else contract.synthetic
    badge = f" {views.SYNTHETIC_BADGE}" if synthetic else ""
    number = f", {report.num_samples:,} images" if report else ""
    edits = f" · by your edits, version {desk.edits.version}" if desk.use_edits else ""
    # Not as a caption: that would make the badge too pale to read.
    st.markdown(
        f":small[:gray[{views.plain(desk.entry.name)} "
        f"({views.plain(fields.network(contract.architecture))}, "
        f"{views.count(contract.num_parameters)} parameters) on {views.plain(name)}, "
        f"{SPLIT_TITLES[desk.split].lower()}{number}{edits}]]{badge}"
    )
    for text in remarks(desk):
        st.info(text, icon=":material/info:")


def remarks(desk: Desk) -> list[str]:
    """What must be known before these figures are believed, as Markdown."""
    contract, dataset = desk.contract, desk.dataset
    found = []
    if contract.synthetic:
        found.append(
            "This model learned from **drawn faces** only: its figures say nothing about "
            "photographed people."
        )
    elif dataset is not None and dataset.meta.synthetic:
        found.append("These faces are **drawn**, and the model learned from photographed ones.")
    if dataset is not None and contract.learned_from != {dataset.meta.fingerprint}:
        found.append(
            "This model was trained on **other data** "
            f"({views.plain(contract.learned_from_words)}). If any of these images were among "
            "them, nobody can tell: the clean figures speak of the training split of this dataset."
        )
    if desk.split is Split.TRAIN and (
        dataset is None or dataset.meta.fingerprint in contract.learned_from
    ):
        found.append(
            "The model **learned from these very images**: this is how well it remembers them, "
            "not how well it does on others."
        )
    if desk.use_edits:
        found.append(
            "Judged by **your labels**: good to see what the edits change, but not to be "
            "compared with figures by the official ones."
        )
    return found


def figures(report: EvaluationReport) -> list[Figure]:
    """The figures of a report, the most important first."""
    clean = report.clean
    answered = report.answered_accuracy
    return [
        Figure(
            "Accuracy",
            report.accuracy,
            views.percent(report.accuracy),
            views.interval(*report.accuracy_ci95),
            "The share of the images whose label is the most probable emotion; below it the 95 % "
            "interval.",
            report.accuracy_ci95,
        ),
        Figure(
            "Clean accuracy",
            clean.accuracy,
            "none left" if clean.accuracy is None else views.percent(clean.accuracy),
            "" if clean.accuracy_ci95 is None else views.interval(*clean.accuracy_ci95),
            f"On the {clean.num_samples:,} images without an identical twin among the training "
            "ones: some images of FER-2013 are in both splits.",
            clean.accuracy_ci95,
        ),
        Figure(
            "Macro-F1",
            report.macro_f1,
            views.percent(report.macro_f1),
            views.interval(*report.macro_f1_ci95),
            "The mean F1 of the seven classes: the rare ones count as much as the common ones.",
            report.macro_f1_ci95,
        ),
        Figure(
            "Balanced accuracy",
            report.balanced_accuracy,
            views.percent(report.balanced_accuracy),
            "mean recall",
            "Over the seven classes: what the accuracy would be if all were equally common.",
        ),
        Figure(
            "Top-2 accuracy",
            report.top2_accuracy,
            views.percent(report.top2_accuracy),
            "first or second guess",
            "The share of the images whose label is among the two most probable emotions.",
        ),
        Figure(
            "Calibration error",
            report.ece,
            views.percent(report.ece),
            f"NLL {report.nll:.3f}",
            "How far confidence and accuracy are apart on average (expected calibration error, "
            "15 bins). Below it the mean negative log-likelihood (NLL) of the label, in nats. 0 is "
            "best for both.",
        ),
        Figure(
            "Answered",
            report.coverage,
            views.percent(report.coverage),
            "all are unsure" if answered is None else f"{views.percent(answered)} of them right",
            f"The share of the images that get an answer, at the model's own threshold: below "
            f"{views.percent(report.threshold, 0)} it says “unsure”.",
        ),
        Figure(
            "Time for one face",
            report.latency_ms,
            "—" if report.latency_ms is None else f"{report.latency_ms:.2f} ms",
            "median",
            "From the crop to the scores, on the machine that scored the images: everything that a "
            "face needs but its detection.",
        ),
    ]


def figure_table(shown: list[Figure]) -> pd.DataFrame:
    """The figures as a table, a row each."""
    return pd.DataFrame(
        [
            {
                "figure": item.title,
                "value": item.value,
                "low": item.interval[0] if item.interval else None,
                "high": item.interval[1] if item.interval else None,
            }
            for item in shown
        ]
    )
