"""The last minute as a plotly figure: pure functions, no Streamlit."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.charts import GROUND, LEGEND
from app.live.timeline import Series
from pipeline.labels import EMOTIONS, NUM_EMOTIONS

SPAN = 60.0
"""Seconds that the chart shows."""

NOBODY = Series(np.empty(0), np.empty((0, NUM_EMOTIONS), np.float32), ())
"""Drawn while there is no face, so that the chart keeps its place on the page."""

_EDGE = 0.001
_TICKS = {-60: "1 min ago", -45: "", -30: "30 s", -15: "", 0: "now"}


def last_minute(series: Series, now: float) -> go.Figure:
    """One person's seven scores as areas on top of one another, on an axis that ends now.

    Args:
        series: What is known of the person; may be `NOBODY`.
        now: In seconds since the start of the session.
    """
    # Out of view, the areas fall to nothing.
    edges = [
        edge for gap in series.gaps for edge in (series.times[gap - 1] + _EDGE, series.times[gap])
    ]
    places = np.repeat(np.array(series.gaps, np.intp), 2)
    moments = np.insert(series.times, places, edges) - now
    percents = 100 * np.insert(series.scores, places, 0.0, axis=0)
    figure = go.Figure()
    for index, emotion in enumerate(EMOTIONS):
        figure.add_scatter(
            name=emotion.title,
            x=moments.round(2),
            y=percents[:, index].round(1),
            mode="lines",
            line={"color": emotion.color, "width": 0.5},
            fillcolor=emotion.color,
            stackgroup="all",
            hoverinfo="skip",
        )
    figure.update_layout(
        height=260,
        margin={"l": 0, "r": 16, "t": 8, "b": 0},
        **GROUND,
        legend={**LEGEND, "font": {"size": 11}},
        xaxis={
            "range": [-SPAN, 0],
            "fixedrange": True,
            "tickvals": list(_TICKS),
            "ticktext": list(_TICKS.values()),
            "showgrid": False,
            "zeroline": False,
            "title": None,
        },
        yaxis={"range": [0, 101], "ticksuffix": " %", "fixedrange": True, "title": None},
    )
    return figure


def last_minute_text(series: Series) -> str:
    """What `last_minute` shows, in words."""
    if not len(series.times):
        return "No face in the last minute"
    means = series.scores.mean(axis=0)
    parts = [
        f"{EMOTIONS[index].title} {100 * means[index]:.0f} %" for index in np.argsort(-means)[:3]
    ]
    return "Mean of the last minute: " + ", ".join(parts)
