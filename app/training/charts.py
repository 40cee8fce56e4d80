"""The curves of a training as plotly figures: pure functions, with no Streamlit in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.charts import ACCENT, GREY, growing_frame, whole_steps

_SPARSE = 30

History = Sequence[dict[str, Any]]


def loss(history: History) -> go.Figure:
    """Loss of training and validation by epoch."""
    figure = _pair(history, "loss", scale=1, unit="")
    figure.update_yaxes(rangemode="normal")
    return figure


def accuracy(history: History) -> go.Figure:
    """Accuracy of training and validation by epoch, in per cent; the kept epoch is marked."""
    figure = _pair(history, "accuracy", scale=100, unit=" %")
    best = best_epoch(history)
    if best is not None:
        figure.add_scatter(
            x=[best["epoch"]],
            y=[100 * best["val_accuracy"]],
            mode="markers+text",
            text=["kept"],
            textposition="bottom center",
            showlegend=False,
            marker={
                "symbol": "star",
                "size": 13,
                "color": ACCENT,
                "line": {"width": 1, "color": "white"},
            },
            hovertemplate=f"kept: epoch {best['epoch']}, %{{y:.1f}} %<extra></extra>",
        )
    return figure


def learning_rate(history: History) -> go.Figure:
    """The learning rate that each epoch began with."""
    figure = _frame(history)
    figure.add_scatter(
        x=[entry["epoch"] for entry in history],
        y=[entry.get("learning_rate") for entry in history],
        mode="lines+markers",
        line={"color": GREY, "width": 2, "shape": "hv"},
        marker={"size": 4},
        hovertemplate="epoch %{x}: %{y:.2g}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(exponentformat="power", rangemode="tozero")
    return figure


def best_epoch(history: History) -> dict[str, Any] | None:
    """The entry whose weights are kept."""
    return next((entry for entry in reversed(history) if entry.get("is_best")), None)


def curves_text(history: History) -> str:
    """What the curves show, in words, for those who cannot see them."""
    if not history:
        return "No epoch has ended yet."
    last, best = history[-1], best_epoch(history)
    text = (
        f"After {len(history)} epochs: training loss {last['loss']:.3f}, validation loss "
        f"{last['val_loss']:.3f}, training accuracy {100 * last['accuracy']:.1f} %, "
        f"validation accuracy {100 * last['val_accuracy']:.1f} %"
    )
    if best is not None:
        text += f"; best in epoch {best['epoch']}: {100 * best['val_accuracy']:.1f} %"
    return text + "."


def _pair(history: History, name: str, *, scale: float, unit: str) -> go.Figure:
    figure = _frame(history)
    epochs = [entry["epoch"] for entry in history]
    for title, key, color, dash in (
        ("Training", name, GREY, "dot"),
        ("Validation", f"val_{name}", ACCENT, "solid"),
    ):
        values = [entry.get(key) for entry in history]
        figure.add_scatter(
            x=epochs,
            y=[None if value is None else scale * value for value in values],
            mode="lines+markers" if len(epochs) < _SPARSE else "lines",
            name=title,
            line={"color": color, "width": 2, "dash": dash},
            marker={"size": 4},
            hovertemplate=f"{title.lower()}, epoch %{{x}}: %{{y:.4g}}{unit}<extra></extra>",
        )
    return figure


def _frame(history: History) -> go.Figure:
    figure = go.Figure()
    growing_frame(figure, height=230, kept="run")
    figure.update_xaxes(title="Epoch", dtick=whole_steps(len(history)))
    return figure
