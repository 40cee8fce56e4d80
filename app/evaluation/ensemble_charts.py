"""Ensembles as plotly figures: pure functions, with no Streamlit in them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from app.charts import ACCENT, GREY
from app.reference_charts import EDGE, error_bars, frame
from pipeline.evaluation.ensemble import NAME, Judgement, Step, best_step


def gain(found: Judgement) -> go.Figure:
    """Accuracy over the time for one face: the members, and the ensemble of them."""
    figure = go.Figure()
    reports = found.reports
    slowest = max(report.latency_ms or 0 for report in reports.values())
    for name, report in reports.items():
        is_ensemble = name == NAME
        color = ACCENT if is_ensemble else GREY
        figure.add_scatter(
            name=name,
            x=[report.latency_ms],
            y=[100 * report.accuracy],
            mode="markers+text",
            text=[f" <b>{name}</b> " if is_ensemble else f" {name} "],
            # Beside the whiskers, and on the side where there is room.
            textposition=_beside(report.latency_ms or 0, slowest),
            cliponaxis=False,
            marker={
                "symbol": "diamond" if is_ensemble else "circle",
                "size": 13 if is_ensemble else 10,
                "color": color,
                "line": EDGE,
            },
            error_y=error_bars(report.accuracy, report.accuracy_ci95, color),
            hovertemplate=f"{name}: {100 * report.accuracy:.1f} %, %{{x:.2f}} ms<extra></extra>",
        )
    frame(figure, height=320)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title="Time for one face, ms", zeroline=False, range=[0, slowest * 1.2])
    figure.update_yaxes(title="Accuracy, %")
    return figure


def gain_text(found: Judgement) -> str:
    """What `gain` shows, in words, for those who cannot see it."""
    return "Accuracy and time for one face: " + ", ".join(
        f"{name} {100 * report.accuracy:.1f} % in {report.latency_ms or 0:.1f} ms"
        for name, report in found.reports.items()
    )


def joining(steps: Sequence[Step]) -> go.Figure:
    """The validation loss of the mean as members join, over the time for one face."""
    best = best_step(steps)
    slowest = max(step.latency_ms for step in steps)
    figure = go.Figure()
    figure.add_scatter(
        x=[step.latency_ms for step in steps],
        y=[step.nll for step in steps],
        mode="lines+markers+text",
        text=[f" {'+ ' if place else ''}{step.added} " for place, step in enumerate(steps)],
        textposition=[_beside(step.latency_ms, slowest) for step in steps],
        cliponaxis=False,
        line={"color": GREY, "width": 2},
        marker={
            "size": 11,
            "color": [ACCENT if step is best else GREY for step in steps],
            "symbol": ["diamond" if step is best else "circle" for step in steps],
            "line": EDGE,
        },
        customdata=[100 * step.accuracy for step in steps],
        hovertemplate="%{text}: %{y:.3f} nats, %{customdata:.1f} % right, %{x:.2f} ms"
        "<extra></extra>",
    )
    frame(figure, height=320)
    figure.update_xaxes(title="Time for one face, ms", zeroline=False, range=[0, slowest * 1.2])
    figure.update_yaxes(title="Negative log-likelihood on validation")
    return figure


def joining_text(steps: Sequence[Step]) -> str:
    """What `joining` shows, in words."""
    told = ", ".join(f"{step.added} {step.nll:.3f}" for step in steps)
    return f"Negative log-likelihood on validation as members join: {told}"


def _beside(latency_ms: float, slowest: float) -> str:
    return "middle left" if latency_ms > slowest / 2 else "middle right"
