"""A video's results as plotly figures: pure functions, no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import ACCENT, DASHES, GROUND, LEGEND, TRANSPARENT
from pipeline.labels import EMOTIONS
from pipeline.recognition.video.analysis import TrackSummary

MOST_POINTS = 1500
"""Of a line; a longer one is thinned out, which no screen shows."""

_HOUR = 3600
_ZERO = datetime(1970, 1, 1)
_ROW_HEIGHT = 38
# Told from the grey of neutral beside it, and from a light and a dark ground.
_UNSURE_COLOR = "#A7ADBB"
_EDGE = 0.001


def timeline(
    times: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float32],
    valence: npt.NDArray[np.float64],
    gaps: Sequence[int] = (),
    *,
    end: float,
    stacked: bool = False,
) -> go.Figure:
    """One person's seven scores over time, and the valence below on the same axis.

    Args:
        times: In seconds, ascending, shape `(n,)`; `n` is at least 1.
        scores: In `[0, 1]`, shape `(n, 7)`.
        valence: In `[-1, 1]`, shape `(n,)`.
        gaps: Indices before which the lines are interrupted.
        end: Of the video, in seconds: the axis of all its persons.
        stacked: The scores as areas on top of one another instead of lines.
    """
    kept, breaks = _thinned(len(times), gaps)
    # A stack knows no missing values: in a gap it falls to nothing.
    fill = 0.0 if stacked else np.nan
    percents = 100 * scores[kept].astype(np.float64)
    moments, percents = _broken(times[kept], percents, breaks, fill)
    _, valences = _broken(times[kept], valence[kept, None], breaks, np.nan)
    # Plotly lets points be clicked, not lines. Those that stand alone are to be seen as well.
    marker = {"size": 8} if len(times) <= 2 else {"size": 8, "color": TRANSPARENT}
    points = {"mode": "lines+markers", "marker": marker}
    figure = make_subplots(2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.7, 0.3])
    for index, emotion in enumerate(EMOTIONS):
        figure.add_scatter(
            row=1,
            col=1,
            name=emotion.title,
            x=moments,
            y=percents[:, index],
            **points,
            line={
                "color": emotion.color,
                "width": 0.5 if stacked else 2,
                "dash": "solid" if stacked else DASHES[index],
            },
            hovertemplate="%{y:.0f} %",
            stackgroup="all" if stacked else None,
        )
    figure.add_scatter(
        row=2,
        col=1,
        name="Valence",
        x=moments,
        y=valences[:, 0],
        **points,
        line={"color": ACCENT, "width": 2},
        hovertemplate="%{y:+.2f}",
        showlegend=False,
    )
    figure.update_layout(
        height=430,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        **GROUND,
        hovermode="x unified",
        # Samples may lie far apart: the nearest counts wherever the pointer is.
        hoverdistance=-1,
        hoversubplots="axis",
        legend=LEGEND,
    )
    figure.update_xaxes(**_clock_axis(end))
    figure.update_yaxes(row=1, range=[0, 101], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(
        row=2,
        range=[-1.05, 1.05],
        tickvals=[-0.7, 0, 0.7],
        ticktext=["unpleasant", "neither", "pleasant"],
        fixedrange=True,
        zeroline=False,
    )
    return figure


def seconds_at(moment: str) -> float:
    """The time of a point on the timeline, in seconds, from how Plotly writes it.

    Args:
        moment: A date and time of day, counted from 1970, without the parts at its end that
            are zero: `1970-01-01 00:00:12.5`, `1970-01-01 00:01` or only `1970-01-01`.
    """
    return (datetime.fromisoformat(moment) - _ZERO).total_seconds()


def time_shares(tracks: Sequence[TrackSummary]) -> go.Figure:
    """Each person's time by emotion, as one bar a person.

    Args:
        tracks: The persons, from top to bottom.
    """
    names = [f"Person {track.track}" for track in tracks]
    parts = [
        (emotion.title, emotion.color, [100 * track.shares[index] for track in tracks])
        for index, emotion in enumerate(EMOTIONS)
    ]
    parts.append(("Unsure", _UNSURE_COLOR, [100 * track.unsure for track in tracks]))
    figure = go.Figure()
    for title, color, percents in parts:
        if not any(percents):
            continue
        figure.add_bar(
            name=title,
            x=percents,
            y=names,
            orientation="h",
            marker={"color": color, "line": {"width": 0}},
            text=[f"{value:.0f} %" if value >= 8 else "" for value in percents],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate=f"%{{y}}: {title} %{{x:.1f}} %<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.3,
        height=64 + _ROW_HEIGHT * max(len(tracks), 1),
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        **GROUND,
        legend=LEGEND,
        showlegend=True,
        xaxis={"visible": False, "fixedrange": True, "range": [0, 100]},
        yaxis={"autorange": "reversed", "fixedrange": True, "title": None, "ticksuffix": "  "},
    )
    return figure


def time_shares_text(tracks: Sequence[TrackSummary]) -> str:
    """What `time_shares` shows, in words."""
    titles = [*(emotion.title for emotion in EMOTIONS), "Unsure"]
    return ". ".join(
        f"Person {track.track}: "
        + ", ".join(
            f"{title} {100 * share:.0f} %"
            for title, share in zip(titles, [*track.shares, track.unsure], strict=True)
            if share
        )
        for track in tracks
    )


def _clock_axis(end: float) -> dict[str, Any]:
    """Times are written as times of day, for ticks that read as a clock at any zoom."""
    clock = "%H:%M:%S" if end >= _HOUR else "%M:%S"
    return {
        "type": "date",
        "range": [0, round(1000 * end)],
        "tickformatstops": [
            {"dtickrange": [None, 999], "value": f"{clock}.%1f"},
            {"dtickrange": [1000, None], "value": clock},
        ],
        "hoverformat": f"{clock}.%2f",
        "showgrid": False,
    }


def _thinned(number: int, gaps: Sequence[int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which of many points to draw, and where the gaps lie among these."""
    kept = np.arange(0, number, -(-number // MOST_POINTS))
    breaks = np.unique(np.searchsorted(kept, gaps))
    return kept, breaks[breaks < len(kept)]


def _broken(
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    breaks: npt.NDArray[np.intp],
    fill: float,
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.float64]]:
    """Puts a row of `fill` at both ends of every gap."""
    edges = np.stack([times[breaks - 1] + _EDGE, times[breaks] - _EDGE], axis=1).ravel()
    places = np.repeat(breaks, 2)
    moments = np.insert(times, places, edges)
    rows = np.insert(values, places, fill, axis=0)
    return (1000 * moments).round().astype("datetime64[ms]"), rows
