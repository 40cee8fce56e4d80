"""Calibration: whether probabilities mean what they say, and when to say "unsure"."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import resources, tables, views
from app.charts import CONFIG
from app.evaluation import charts
from app.evaluation.desk import Desk, not_scored
from app.recognition import change_settings, load_settings
from pipeline.evaluation.calibration import (
    Probabilities,
    coverage_curve,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from pipeline.recognition.classifier import with_temperature
from pipeline.recognition.contract import OperatingPoint

_SLIDER = "unsure_below"
_THRESHOLDS = np.round(np.arange(0, 1, 0.01), 2)
_BEFORE, _AFTER = "Before calibration", "After calibration"


def tab(desk: Desk) -> None:
    """Reliability before and after temperature scaling, and the threshold of "unsure"."""
    if desk.predictions is None:
        not_scored(desk, "The reliability diagram and its figures")
    else:
        _reliability(desk)
    _unsure(desk)


def answers(desk: Desk) -> dict[str, Probabilities]:
    """The probabilities before and after temperature scaling, by name.

    The mean over augmented views has no logits that the temperature could be
    taken from, so of that there is only the one in use.
    """
    if desk.predictions is None:
        return {}
    served = desk.predictions.probabilities
    if desk.tta != "none":
        return {_AFTER: served}
    return {_BEFORE: with_temperature(served, 1 / desk.contract.temperature), _AFTER: served}


def reliability_table(desk: Desk) -> pd.DataFrame:
    """The bins of the reliability diagrams, a row each."""
    if desk.predictions is None:
        return pd.DataFrame()
    parts = []
    for name, probabilities in answers(desk).items():
        bins = reliability(probabilities, desk.predictions.labels)
        parts.append(
            pd.DataFrame(
                {
                    "probabilities": name.lower(),
                    "from": bins.edges[:-1].round(4),
                    "to": bins.edges[1:].round(4),
                    "answers": bins.counts,
                    "mean confidence": bins.confidence,
                    "share right": bins.accuracy,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def coverage_table(points: Sequence[OperatingPoint]) -> pd.DataFrame:
    """What each threshold gives, a row each."""
    return pd.DataFrame(
        {
            "unsure below": [point.threshold for point in points],
            "answered": [point.coverage for point in points],
            "right of these": [point.accuracy for point in points],
        }
    )


def _reliability(desk: Desk) -> None:
    if desk.predictions is None:
        return
    labels = desk.predictions.labels
    shown = answers(desk)
    bins = {name: reliability(found, labels) for name, found in shown.items()}
    views.heading(
        "Reliability", ": of the answers given with 70 % confidence, 70 % should be right"
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.plotly_chart(
            charts.reliability(bins),
            config=CONFIG,
            key="reliability",
            alt="Share of right answers against confidence; the table to save has the numbers",
        )
    with right:
        with st.grid(2, min_column_width=130, gap="small"):
            for name, found in shown.items():
                views.figure(
                    f"Error {name.split()[0].lower()}",
                    views.percent(expected_calibration_error(found, labels)),
                    f"NLL {negative_log_likelihood(found, labels):.3f}",
                    help="Expected calibration error, 15 bins; below it the mean negative "
                    "log-likelihood (NLL) of the label, in nats. 0 is best for both.",
                )
        st.caption(temperature_words(desk.contract.temperature))
        if desk.tta != "none":
            st.caption(
                "Of averaged views there is no “before”: each view is calibrated, then the mean "
                "is taken, which leaves it somewhat too modest."
            )
        tables.download(
            partial(reliability_table, desk), f"{desk.slug}-reliability", label="Reliability as CSV"
        )


def temperature_words(temperature: float) -> str:
    """What a temperature says of the network that it was fitted to."""
    kind = "too sure of itself" if temperature > 1 else "too modest"
    return (
        f"The network by itself was {kind} on validation: its logits are divided by a temperature "
        f"of {temperature:.2f}, which changes no answer, only how sure it sounds (Guo et al. 2017)."
    )


def _unsure(desk: Desk) -> None:
    views.heading("When to say “unsure”", ": the fewer faces get an answer, the more answers hold")
    own = desk.contract.unsure_below
    active = resources.models().active()
    is_active = active is not None and active.reference == desk.entry.reference
    left, right = st.columns([2, 3], gap="medium")
    with left:
        threshold = _threshold(desk, own, is_active)
        points, now = _points(desk, threshold)
        right_ones = "—" if now.accuracy is None else views.percent(now.accuracy)
        with st.grid(2, min_column_width=120, gap="small"):
            st.metric("Answered", views.percent(now.coverage))
            st.metric("Right of these", right_ones)
        if desk.predictions is None:
            st.caption("As measured on validation when the model was made.")
        tables.download(
            partial(coverage_table, points), f"{desk.slug}-coverage", label="Thresholds as CSV"
        )
    with right:
        st.plotly_chart(
            charts.coverage(points, now),
            config=CONFIG,
            key="coverage",
            alt=f"{views.percent(now.coverage)} of the faces get an answer; {right_ones} of these "
            "are right",
        )


def _points(desk: Desk, threshold: float) -> tuple[Sequence[OperatingPoint], OperatingPoint]:
    """The curve, and the point of a threshold on it."""
    if desk.predictions is None:
        points = desk.contract.trade_off or (OperatingPoint(0.0, 1.0, None),)
        return points, min(points, key=lambda point: abs(point.threshold - threshold))
    found = desk.predictions
    points = coverage_curve(found.probabilities, found.labels, _THRESHOLDS)
    (now,) = coverage_curve(found.probabilities, found.labels, np.array([threshold]))
    return points, now


def _threshold(desk: Desk, own: float, is_active: bool) -> float:
    """The slider; of the active model it sets the threshold that all pages use."""
    chosen = load_settings(resources.home()).unsure_below if is_active else None
    key = f"{_SLIDER}_{desk.entry.reference}"
    if is_active or key not in st.session_state:
        st.session_state[key] = min(round(100 * (own if chosen is None else chosen)), 95)
    st.slider(
        "Say “unsure” below",
        0,
        95,
        key=key,
        format="%d %%",
        help="Of the first emotion's probability.",
        on_change=_slid if is_active else None,
        args=(key,),
    )
    if is_active:
        st.caption(
            "Photo, video, live and the JSON interface use it. The model's own is "
            f"{views.percent(own, 0)}, chosen on validation."
        )
        st.button(
            "Back to the model's own",
            key="unsure_reset",
            icon=":material/restart_alt:",
            type="tertiary",
            disabled=chosen is None,
            on_click=_reset,
        )
    else:
        st.caption(
            f"To look at only: the threshold in use is that of the active model. This model's own "
            f"is {views.percent(own, 0)}, chosen on validation."
        )
    untouched = st.session_state[key] == min(round(100 * own), 95) and chosen is None
    # The model's own has more digits than the slider.
    return own if untouched else st.session_state[key] / 100


def _slid(key: str) -> None:
    change_settings(resources.home(), unsure_below=st.session_state[key] / 100)


def _reset() -> None:
    change_settings(resources.home(), unsure_below=None)
