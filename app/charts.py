"""Reports in, plotly figures out: pure functions, with no Streamlit in them.

Text and grid take their colours from the page's theme, light or dark; the
colours of the emotions come from `pipeline.labels` and are the same in both.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pipeline.dataset import SPLITS, Split
from pipeline.labels import EMOTIONS

CONFIG: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "responsive": True}
"""How the charts behave in the browser; nothing is fetched from elsewhere."""

_FEW = 12

TRANSPARENT = "rgba(0,0,0,0)"
GROUND: dict[str, Any] = {"paper_bgcolor": TRANSPARENT, "plot_bgcolor": TRANSPARENT}
"""Charts stand on the page's own ground, light or dark."""

ACCENT = "#6266DA"
"""Of one's own model, the chosen value, validation: no emotion has this colour."""

GREY = "#8A93A8"
"""Of what a chart compares with: others, guessing, training."""

LEGEND: dict[str, Any] = {
    "orientation": "h",
    "x": 0,
    "y": 1.0,
    "yanchor": "bottom",
    "traceorder": "normal",
    "title": None,
    "itemclick": False,
    "itemdoubleclick": False,
}
"""A row above the chart. A click on it would hide a part of what the text beside it speaks of."""

SPLIT_TITLES = {Split.TRAIN: "Training", Split.VALIDATION: "Validation", Split.TEST: "Test"}

SPLIT_STRENGTHS = {Split.TRAIN: 1.0, Split.VALIDATION: 0.7, Split.TEST: 0.4}
"""How strong a class's colour is in the bar of each split."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash")
"""Of a line for each class: lines differ in more than their colour."""


def tint(color: str, strength: float) -> str:
    """A colour that lets the ground through; in CSS, as plotly takes it too.

    Args:
        color: As `#RRGGBB`.
        strength: From 0, nothing of it, to 1.
    """
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return f"rgba({red}, {green}, {blue}, {strength})"


def frame(figure: go.Figure, *, height: int, right: int = 8) -> None:
    """The looks that most charts share: no zoom, room for the legend above and the axes' words.

    Args:
        figure: Is changed.
        height: In pixels.
        right: Margin at the right, pixels: room for half of the last number below the axis.
    """
    margin = {"l": 0, "r": right, "t": 34, "b": 0}
    figure.update_layout(**GROUND, height=height, margin=margin, legend=LEGEND)
    figure.update_xaxes(fixedrange=True, automargin=True, zeroline=False)
    figure.update_yaxes(fixedrange=True, automargin=True, zeroline=False)


def growing_frame(figure: go.Figure, *, height: int, kept: str) -> None:
    """The looks of charts of work that goes on: one may zoom, and stays so while points arrive.

    Args:
        figure: Is changed.
        height: In pixels.
        kept: What the zoom belongs to; under another name it starts anew.
    """
    margin = {"l": 8, "r": 8, "t": 28, "b": 8}
    figure.update_layout(**GROUND, height=height, margin=margin, legend=LEGEND, uirevision=kept)
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(zeroline=False, title=None)


def whole_steps(last: int) -> int | None:
    """The distance of the ticks of an axis of epochs; `None` leaves it to plotly.

    There is no epoch 1.5, though a short axis would like one.

    Args:
        last: The largest number on it.
    """
    return 1 if last < _FEW else None


def class_balance_text(counts: dict[str, list[int]]) -> str:
    """Images per class in words, for those who cannot see the chart."""
    totals = {
        emotion.title: sum(counts[split][index] for split in SPLITS)
        for index, emotion in enumerate(EMOTIONS)
    }
    return "Images per class: " + ", ".join(f"{name} {n:,}" for name, n in totals.items())
