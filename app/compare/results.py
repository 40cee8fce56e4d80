"""What the answers to the same images come to: verdicts, differences, classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import views
from app.charts import CONFIG
from app.compare import charts
from app.compare.charts import Effect
from app.compare.desk import Answers
from app.compare.training import legend
from pipeline.evaluation.comparison import Comparison, PairComparison
from pipeline.evaluation.paired import Difference
from pipeline.labels import EMOTIONS

_TITLES = {emotion.name: emotion.title for emotion in EMOTIONS}
_LOOKS = {
    "better": (":material/trending_up:", "green"),
    "worse": (":material/trending_down:", "red"),
    "no significant difference": (":material/drag_handle:", "gray"),
}


def view(answers: Answers) -> None:
    """The verdict on each model, the differences with intervals, and those of the classes."""
    found = answers.comparison
    for pair in found.pairs:
        icon, color = _LOOKS[pair.verdict]
        st.markdown(f":{color}[{icon}] {verdict(pair, num_pairs=len(found.pairs))}")
    _table(found)
    left, right = st.columns(2, gap="large")
    with left:
        views.heading(f"Differences from {views.plain(found.baseline)}")
        _chart(_overall(answers), "compare_overall", "Differences from the baseline")
    with right:
        _classes(answers)
    if len(found.pairs) > 1:
        st.markdown(legend([answers.subject(pair.other) for pair in found.pairs]))
    st.caption(_method(found))


def verdict(pair: PairComparison, *, num_pairs: int = 1) -> str:
    """What a comparison of two models comes to, as a Markdown sentence.

    Args:
        pair: The comparison.
        num_pairs: How many there are; with more than one the p-value is
            corrected.
    """
    other, baseline = views.plain(pair.other), views.plain(pair.baseline)
    if pair.is_significant:
        words = f"**{other}** is **{pair.verdict}** than **{baseline}**"
    else:
        words = f"**No significant difference** between **{other}** and **{baseline}**"
    test = pair.mcnemar
    if not test.only_first + test.only_second:
        return f"{words}: both are right on the very same images."
    corrected = ", corrected" if num_pairs > 1 else ""
    return (
        f"{words}: accuracy {points(pair.accuracy)} percentage points. Only {other} is right on "
        f"{test.only_second:,} images, only {baseline} on {test.only_first:,} "
        f"({p_text(pair.p_adjusted)}{corrected})."
    )


def points(difference: Difference) -> str:
    """A difference in percentage points, with its interval: `+1.2 (+0.3 to +2.1)`."""
    delta, low, high = (views.signed(100 * at) for at in (difference.delta, *difference.ci95))
    return f"{delta} ({low} to {high})"


def p_text(value: float) -> str:
    """A p-value as papers write it: `p = 0.034`, `p < 0.001`."""
    # With spaces that do not break.
    return "p\u00a0<\u00a00.001" if value < 0.001 else f"p\u00a0=\u00a0{value:.2g}"


@st.fragment
def _classes(answers: Answers) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        views.heading("By class", width="stretch")
        measure = st.segmented_control(
            "Measure",
            ["Recall", "F1"],
            default="Recall",
            required=True,
            key="compare_measure",
            persist_state="session",
            label_visibility="collapsed",
        )
    _chart(_by_class(answers, measure or "Recall"), "compare_classes", "Differences by class")
    if measure == "Recall":
        st.caption(
            "Full marks differ by McNemar's test on the images of the class, corrected by Holm for "
            "all classes; hollow ones do not."
        )
    else:
        st.caption("F1 joins recall and precision; it has an interval but no such test.")


def _overall(answers: Answers) -> list[Effect]:
    items = []
    for title, name in _figures(answers.comparison).items():
        for pair in answers.comparison.pairs:
            difference = getattr(pair, name)
            if difference is not None:
                tested = pair.is_significant if name == "accuracy" else None
                items.append(_effect(answers, title, pair, difference, tested))
    return items


def _by_class(answers: Answers, measure: str) -> list[Effect]:
    names = answers.comparison.pairs[0].per_class
    items = []
    for name in names:
        for pair in answers.comparison.pairs:
            item = pair.per_class[name]
            recall = measure == "Recall"
            difference = item.recall if recall else item.f1
            tested = item.is_significant if recall else None
            row = f"{_TITLES[name]} ({item.support:,})"
            items.append(_effect(answers, row, pair, difference, tested))
    return items


def _effect(
    answers: Answers, row: str, pair: PairComparison, difference: Difference, tested: bool | None
) -> Effect:
    subject = answers.subject(pair.other)
    return Effect(row, pair.other, difference, tested, subject.color, subject.symbol)


def _chart(items: Sequence[Effect], key: str, title: str) -> None:
    words = "; ".join(f"{item.model}, {item.row}: {points(item.difference)}" for item in items)
    st.plotly_chart(
        charts.effects(items),
        config=CONFIG,
        key=key,
        alt=f"{title}, in percentage points with 95 % intervals: {words}",
    )


def _table(found: Comparison) -> None:
    figures = _figures(found)
    rows: list[dict[str, Any]] = [
        {"model": name}
        | {title: _share(getattr(pair, figure), side) for title, figure in figures.items()}
        for name, pair, side in (
            (f"{found.baseline} (baseline)", found.pairs[0], "baseline"),
            *((pair.other, pair, "other") for pair in found.pairs),
        )
    ]
    st.dataframe(
        rows,
        hide_index=True,
        key="compare_shares",
        placeholder="—",
        alt="The scores of the compared models on the same images",
        column_config={"model": st.column_config.TextColumn("Model", pinned=True)}
        | {title: st.column_config.NumberColumn(title, format="%.1f %%") for title in figures},
    )


def _figures(found: Comparison) -> dict[str, str]:
    """The titles of the overall figures, and their names in a `PairComparison`."""
    figures = {"Accuracy": "accuracy"}
    if found.num_clean not in (None, found.num_samples):
        figures["Clean accuracy"] = "clean_accuracy"
    return {**figures, "Macro-F1": "macro_f1", "Balanced accuracy": "balanced_accuracy"}


def _share(difference: Difference | None, name: str) -> float | None:
    return None if difference is None else 100 * float(getattr(difference, name))


def _method(found: Comparison) -> str:
    text = (
        f"On {found.num_samples:,} images, by the labels as imported. Intervals: 95 %, paired "
        "bootstrap over the images. Test: McNemar's, exact"
    )
    text += ", corrected by Holm for the number of models" if len(found.pairs) > 1 else ""
    if found.num_clean not in (None, found.num_samples):
        text += f". Clean: the {found.num_clean:,} images without an exact twin in training"
    return (
        f"{text}. It speaks of these trained models, not of their settings: another seed gives "
        "another model."
    )
