"""The charts of the stress bench: pure functions from reports to a plotly figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.charts import ACCENT, GREY, frame
from app.matrix_chart import percents, shaded
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from pipeline.evaluation.stress import StressReport

# None of them is an emotion's; lines also differ in their dashes.
_OTHERS = ((GREY, "dash"), ("#2F8F83", "dot"), ("#9C5FB5", "dashdot"), ("#A8792B", "longdash"))
MOST_LINES = 1 + len(_OTHERS)
"""More models than this are not drawn in one chart."""


def accuracies(report: StressReport, corruption: str | None) -> list[float]:
    """Accuracy from strength 0 up.

    Args:
        report: Of the model.
        corruption: Its name; `None` takes the mean of all.
    """
    chosen = [corruption] if corruption else list(report.corruptions)
    found = np.mean([report.corruptions[name].accuracy for name in chosen], axis=0)
    return [report.clean_accuracy, *found.tolist()]


def curves(reports: Sequence[StressReport], corruption: str | None) -> go.Figure:
    """Accuracy by strength, a line for each model.

    Args:
        reports: The model that is looked at first; at most `MOST_LINES` are drawn.
        corruption: Its name; `None` takes the mean of all.
    """
    figure = go.Figure()
    levels = ["as it is", *(_words(corruption, strength) for strength in STRENGTHS)]
    styles = ((ACCENT, "solid"), *_OTHERS)
    for report, (color, dash) in zip(reports[:MOST_LINES], styles, strict=False):
        first = report is reports[0]
        figure.add_scatter(
            name=report.model,
            x=[0, *STRENGTHS],
            y=accuracies(report, corruption),
            customdata=levels,
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 3 if first else 1.8},
            marker={"size": 7 if first else 5},
            hovertemplate="%{customdata}: %{y:.1%}",
        )
    frame(figure, height=320)
    figure.update_layout(hovermode="x unified", showlegend=True)
    figure.update_xaxes(title="Strength", dtick=1)
    figure.update_yaxes(title="Accuracy", tickformat=".0%", rangemode="tozero")
    return figure


def heat(report: StressReport) -> go.Figure:
    """The accuracy under every corruption at every strength, shaded by what is lost of it."""
    titles = [CORRUPTIONS[name].title for name in report.corruptions]
    shares = np.array([accuracies(report, name) for name in report.corruptions])
    columns = [str(strength) for strength in (0, *STRENGTHS)]
    words = [
        [CORRUPTIONS[name].words(strength) for strength in (0, *STRENGTHS)]
        for name in report.corruptions
    ]
    left = shares / max(report.clean_accuracy, np.finfo(float).tiny)
    figure = shaded(
        (1 - left).clip(0, 1),
        percents(shares),
        rows=titles,
        columns=columns,
        customdata=np.dstack([shares, left, np.array(words, object)]),
        hovertemplate="%{y} %{customdata[2]}: %{customdata[0]:.1%}, "
        "%{customdata[1]:.0%} of what it was<extra></extra>",
    )
    frame(figure, height=440)
    figure.update_xaxes(title="Strength", type="category")
    figure.update_yaxes(ticksuffix="  ")
    return figure


def curves_text(reports: Sequence[StressReport], corruption: str | None) -> str:
    """What `curves` shows, in words, for those who cannot see it."""
    title = CORRUPTIONS[corruption].title.lower() if corruption else "all corruptions, on average"
    lines = []
    for report in reports[:MOST_LINES]:
        clean, *worse = accuracies(report, corruption)
        lines.append(f"{report.model} falls from {100 * clean:.0f} % to {100 * worse[-1]:.0f} %")
    return f"Accuracy by strength of {title}: " + "; ".join(lines)


def _words(corruption: str | None, strength: int) -> str:
    return CORRUPTIONS[corruption].words(strength) if corruption else f"strength {strength}"
