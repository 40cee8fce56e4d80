"""Per class: how well each is found, and how well its probability tells it from the rest."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import tables, views
from app.charts import CONFIG
from app.evaluation import charts
from app.evaluation.desk import Desk, not_scored
from pipeline.evaluation import EvaluationReport, Predictions
from pipeline.evaluation.curves import OneAgainstRest, one_against_rest, score_histogram, thinned
from pipeline.labels import EMOTIONS

_COLUMNS: dict[str, Any] = {
    "class": st.column_config.TextColumn("Class"),
    "precision": st.column_config.NumberColumn(
        "Precision", format="%.1f %%", help="Of the answers of this class, how many are right."
    ),
    "recall": st.column_config.NumberColumn(
        "Recall", format="%.1f %%", help="Of the images of this class, how many are found."
    ),
    "F1": st.column_config.NumberColumn(
        "F1", format="%.1f %%", help="The harmonic mean of precision and recall."
    ),
    "images": st.column_config.NumberColumn("Images", format="localized"),
    "AUC": st.column_config.NumberColumn(
        "AUC",
        format="%.3f",
        help="The chance that an image of this class scores higher than one of another.",
    ),
    "AP": st.column_config.NumberColumn(
        "AP", format="%.3f", help="Average precision: the area below precision and recall."
    ),
    "guess": st.column_config.NumberColumn(
        "Guess", format="%.3f", help="The average precision of a guess: the share of this class."
    ),
}
_PERCENTS = ("precision", "recall", "F1")


def tab(desk: Desk) -> None:
    """Scores of each class, its curves, and the distribution of its probability."""
    if desk.report is None:
        not_scored(desk, "The figures of the classes")
        return
    rest = {} if desk.predictions is None else all_curves(desk.predictions)
    table = class_table(desk.report, rest)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.plotly_chart(
            charts.class_scores(desk.report),
            config=CONFIG,
            key="class_scores",
            alt="Precision, recall and F1 of each class; the table has the numbers",
        )
    with right:
        st.dataframe(
            table.assign(**{name: 100 * table[name] for name in _PERCENTS}),
            hide_index=True,
            key="class_table",
            column_config=_COLUMNS,
            alt="Precision, recall, F1 and areas below the curves of each class",
        )
        tables.download(table.copy, f"{desk.slug}-classes", label="Classes as CSV")
    if desk.predictions is None:
        not_scored(desk, "The curves")
        return
    _curves(rest)
    _scores(desk.predictions)


def all_curves(found: Predictions) -> dict[int, OneAgainstRest]:
    """The curves of each class that some, but not all, images are of."""
    curves = {
        label: one_against_rest(found.probabilities, found.labels, label)
        for label in range(len(EMOTIONS))
    }
    return {label: curve for label, curve in curves.items() if curve is not None}


def class_table(report: EvaluationReport, rest: dict[int, OneAgainstRest]) -> pd.DataFrame:
    """All figures of the classes, a row each."""
    rows = []
    for label, emotion in enumerate(EMOTIONS):
        score = report.per_class[emotion.name]
        row: dict[str, Any] = {
            "class": emotion.title,
            "precision": score.precision,
            "recall": score.recall,
            "F1": score.f1,
            "images": score.support,
        }
        if label in rest:
            row["AUC"] = rest[label].roc.area
            row["AP"] = rest[label].precision_recall.area
            row["guess"] = rest[label].prevalence
        rows.append(row)
    return pd.DataFrame(rows)


def _curves(rest: dict[int, OneAgainstRest]) -> None:
    if not rest:
        return  # all images are of one class
    views.heading("Each class against the rest")
    chosen = st.pills(
        "Classes",
        list(rest),
        selection_mode="multi",
        default=list(rest),
        key="curve_classes",
        format_func=lambda label: EMOTIONS[label].title,
        wrap=True,
    )
    shown = {label: rest[label] for label in chosen if label in rest}
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("ROC, with the area below each curve")
        st.plotly_chart(
            charts.curves({label: thinned(found.roc) for label, found in shown.items()}, roc=True),
            config=CONFIG,
            key="roc_curves",
            alt="True against false positives of each class; the areas are in the table above",
        )
    with right:
        st.markdown("Precision and recall, with the average precision")
        st.plotly_chart(
            charts.curves(
                {label: thinned(found.precision_recall) for label, found in shown.items()},
                roc=False,
                guess={label: found.prevalence for label, found in shown.items()},
            ),
            config=CONFIG,
            key="precision_recall_curves",
            alt="Precision against recall of each class; the areas are in the table above",
        )
    rarest = min(rest, key=lambda label: rest[label].prevalence)
    st.caption(
        "Where few images are of a class, precision and recall show what ROC hides: with "
        f"{EMOTIONS[rarest].name} at {views.percent(rest[rarest].prevalence)} of the images, a "
        "small share of false alarms can outnumber the hits."
    )


def _scores(found: Predictions) -> None:
    label = st.selectbox(
        "Distribution of the probability of",
        range(len(EMOTIONS)),
        key="score_class",
        format_func=lambda label: EMOTIONS[label].title,
        width=260,
        persist_state="session",
    )
    st.plotly_chart(
        charts.scores(score_histogram(found.probabilities, found.labels, label), label),
        config=CONFIG,
        key="score_histogram",
        alt=f"Which probability of {EMOTIONS[label].name} its own images get, and all others",
    )
