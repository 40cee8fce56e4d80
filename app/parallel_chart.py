"""Parallel coordinates as a plotly figure: what settings came to, one line for each training.

The axes lie, so that long values and a phone get along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from app.charts import GREY, GROUND

_ROW = 60
_BELOW = 0.3
_BESIDE = 0.04
_LONGEST = 16


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        title: What is on it.
        ticks: The words below it by their places, in `[0, 1]`; long ones are cut off.
    """

    title: str
    ticks: Mapping[float, str]


@dataclass(frozen=True)
class Line:
    """One training.

    Attributes:
        name: Whose it is.
        places: Where it crosses each axis, in `[0, 1]`; `None` where it has no value.
        texts: Its value on each axis in words.
        color: As plotly takes it.
        marker: Of its points, as plotly takes them.
        opacity: In `[0, 1]`.
    """

    name: str
    places: Sequence[float | None]
    texts: Sequence[str]
    color: str
    marker: Mapping[str, Any] = field(default_factory=lambda: {"size": 6})
    opacity: float = 1.0


def parallel_chart(axes: Sequence[Axis], lines: Sequence[Line]) -> go.Figure:
    """Draws the lines over the axes.

    Args:
        axes: From above to below; the result last.
        lines: Each with a place and a text for each axis; the last lies on top.
    """
    figure = go.Figure()
    for row, axis in enumerate(axes):
        _add_axis(figure, row, axis)
    for line in lines:
        figure.add_scatter(
            name=line.name,
            x=line.places,
            y=list(range(len(axes))),
            customdata=[[axis.title, text] for axis, text in zip(axes, line.texts, strict=True)],
            mode="lines+markers",
            line={"color": line.color, "width": 2},
            marker=dict(line.marker),
            opacity=line.opacity,
            hovertemplate=f"{line.name}: %{{customdata[0]}} %{{customdata[1]}}<extra></extra>",
        )
    figure.update_layout(
        **GROUND,
        height=40 + _ROW * len(axes),
        margin={"l": 0, "r": 12, "t": 12, "b": 8},
        showlegend=False,
    )
    # Room for the words at the ends.
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.17, 1.17])
    figure.update_yaxes(
        tickvals=list(range(len(axes))),
        ticktext=[f"{axis.title}  " for axis in axes],
        range=[len(axes) - 0.4, -0.4],
        fixedrange=True,
        automargin=True,
        showgrid=False,
        zeroline=False,
    )
    return figure


def _add_axis(figure: go.Figure, row: int, axis: Axis) -> None:
    figure.add_scatter(
        x=[0, 1],
        y=[row, row],
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[_word(at)[0] for at in axis.ticks],
        y=[row + _BELOW] * len(axis.ticks),
        text=[_short(text) for text in axis.ticks.values()],
        mode="text",
        textposition=[_word(at)[1] for at in axis.ticks],
        hoverinfo="skip",
    )


def _word(place: float) -> tuple[float, str]:
    """Where the word below a place stands, and on which side of that."""
    # At the ends beside the lines, most of which run down there; there is no room outside.
    if place == 0:
        return _BESIDE, "middle right"
    if place == 1:
        return 1 - _BESIDE, "middle left"
    return place, "middle center"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
