"""Accuracies of one's own beside those of others: pure functions, with no Streamlit in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from app.charts import ACCENT, GREY, GROUND, SPLIT_TITLES
from pipeline.evaluation.references import Kind, Reference
from pipeline.evaluation.report import Interval

EDGE = {"width": 1, "color": "white"}
"""Around markers, where they lie on one another."""
ROW = 30
"""Pixels for one row of a chart with names at the left."""


@dataclass(frozen=True)
class Mark:
    """One accuracy in the chart of accuracies.

    Attributes:
        name: Whose it is.
        value: In `[0, 1]`.
        interval: Its 95 % interval, if it is known.
        color: `#rrggbb`.
        symbol: As plotly calls it.
    """

    name: str
    value: float
    interval: Interval | None = None
    color: str = ACCENT
    symbol: str = "circle"


def accuracies(marks: Sequence[Mark], references: Sequence[Reference]) -> go.Figure:
    """One's own accuracies with their intervals; below, apart, those of others.

    Args:
        marks: One's own.
        references: Those of others: published ones are hollow, measured ones full.
    """
    figure = go.Figure()
    for mark in marks:
        low, high = mark.interval or (mark.value, mark.value)
        figure.add_scatter(
            x=[100 * mark.value],
            y=[mark.name],
            mode="markers",
            marker={"symbol": mark.symbol, "size": 11, "color": mark.color, "line": EDGE},
            error_x=error_bars(mark.value, (low, high), mark.color),
            hovertemplate=f"{mark.name}: {_range(low, mark.value, high)}<extra></extra>",
        )
    for item in references:
        text = f"{item.name}: {percent_range(item)}, {item.kind}, {split_text(item)}"
        figure.add_scatter(
            x=[100 * item.low, 100 * item.high],
            y=[item.name] * 2,
            mode="lines+markers",
            line={"color": GREY, "width": 3},
            marker={
                "symbol": "diamond" if item.kind is Kind.MEASURED else "diamond-open",
                "size": 9,
                "color": GREY,
            },
            hovertemplate=f"{text}<extra></extra>",
        )
    frame(figure, height=50 + ROW * (len(marks) + len(references)))
    if marks and references:
        figure.add_hline(y=len(marks) - 0.5, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title="Accuracy, %", zeroline=False)
    figure.update_yaxes(autorange="reversed", type="category", ticksuffix="  ")
    return figure


def percent_range(reference: Reference) -> str:
    """A reference's figure: `65.5 %`, `72 to 75 %`."""
    low, high = f"{100 * reference.low:.3g}", f"{100 * reference.high:.3g}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def split_text(reference: Reference) -> str:
    """The split of a reference in words."""
    return "split not stated" if reference.split is None else SPLIT_TITLES[reference.split].lower()


def error_bars(value: float, interval: Interval, color: str) -> dict[str, Any]:
    """The whiskers of a share's interval, for an axis in per cent."""
    low, high = interval
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - value)],
        "arrayminus": [100 * (value - low)],
        "color": color,
        "thickness": 1.5,
        "width": 4,
    }


def frame(figure: go.Figure, *, height: int) -> None:
    """The looks that the charts of comparisons share; `height` is in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 12, "t": 12, "b": 8},
        **GROUND,
        uirevision="compare",
    )
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True, title=None)


def _range(low: float, value: float, high: float) -> str:
    text = f"{100 * value:.1f} %"
    return text if low == high else f"{text} ({100 * low:.1f} to {100 * high:.1f})"
