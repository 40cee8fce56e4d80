"""Runs and models side by side as plotly figures: pure functions, with no Streamlit in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from app.charts import GREY, LEGEND, whole_steps
from app.compare.subjects import Subject, value_text
from app.parallel_chart import Axis, Line, parallel_chart
from app.reference_charts import EDGE, ROW, error_bars, frame
from app.training import fields
from pipeline.evaluation.comparison import pareto_front
from pipeline.evaluation.paired import Difference
from pipeline.labels import EMOTIONS

CURVES = {
    "accuracy": ("Accuracy, %", "accuracy", "val_accuracy", 100),
    "loss": ("Loss", "loss", "val_loss", 1),
    "macro_f1": ("Macro-F1 on validation, %", None, "val_macro_f1", 100),
    "learning_rate": ("Learning rate", "learning_rate", None, 1),
}
"""The curves: title, the history's name for training and for validation, factor."""

_SPARSE = 30
_CURVE_MARGIN = {"l": 56, "r": 12, "t": 12, "b": 44}
_SIDE_BY_SIDE = 0.012


@dataclass(frozen=True)
class Effect:
    """One difference in a chart of differences.

    Attributes:
        row: What differs.
        model: Which model is held against the baseline.
        difference: By how much.
        is_significant: Whether by more than luck; `None` where nothing was tested.
        color: `#rrggbb`.
        symbol: As plotly calls it.
    """

    row: str
    model: str
    difference: Difference
    is_significant: bool | None
    color: str
    symbol: str


def curve(subjects: Sequence[Subject], name: str, *, by_time: bool) -> go.Figure:
    """One quantity of every run over its training.

    Args:
        subjects: Those without a history are left out.
        name: One of `CURVES`.
        by_time: Over the minutes that the training took, not its epochs.
    """
    _, of_training, of_validation, factor = CURVES[name]
    figure = go.Figure()
    for item in subjects:
        history = item.history
        minutes = [0.0, *accumulate(entry.get("seconds", 0.0) / 60 for entry in history)]
        # Figures are those at an epoch's end, but its learning rate holds from its beginning on.
        times = minutes[:-1] if name == "learning_rate" else minutes[1:]
        x = times if by_time else [entry["epoch"] for entry in history]
        for part, key, dash in (
            ("training", of_training, "dot"),
            ("validation", of_validation, "solid"),
        ):
            if key is None or not history:
                continue
            values = [entry.get(key) for entry in history]
            alone = of_validation is None
            figure.add_scatter(
                name=item.name,
                x=x,
                y=[None if value is None else factor * value for value in values],
                mode="lines+markers" if len(history) < _SPARSE else "lines",
                line={
                    "color": item.color,
                    "width": 2 if part == "validation" or alone else 1.2,
                    "dash": "solid" if alone else dash,
                    "shape": "hv" if alone else "linear",
                },
                marker={"size": 5 if part == "validation" else 3, "symbol": item.symbol},
                customdata=[entry["epoch"] for entry in history],
                hovertemplate=f"{item.name}, {part}, epoch %{{customdata}}: %{{y:.4g}}"
                "<extra></extra>",
            )
    frame(figure, height=270)
    # The same for all, so that the axes of epochs stand one below the other; and plotly draws a
    # chart once more for every margin that it has to find out.
    figure.update_layout(showlegend=False, margin=_CURVE_MARGIN)
    figure.update_yaxes(automargin=False)
    longest = max((entry["epoch"] for item in subjects for entry in item.history), default=0)
    figure.update_xaxes(
        title="Minutes" if by_time else "Epoch",
        zeroline=False,
        automargin=False,
        dtick=None if by_time else whole_steps(longest),
    )
    if name == "learning_rate":
        figure.update_yaxes(exponentformat="power", rangemode="tozero")
    return figure


def curves_text(subjects: Sequence[Subject]) -> str:
    """What the curves come to, in words."""
    parts = [
        f"{item.name} {100 * item.best['val_accuracy']:.1f} % in epoch {item.best['epoch']}"
        for item in subjects
        if "val_accuracy" in item.best
    ]
    return "Best validation accuracy: " + (", ".join(parts) or "none yet") + "."


def parallel(subjects: Sequence[Subject], settings: Sequence[str]) -> go.Figure:
    """Parallel coordinates: an axis for each setting and for the result, a line for each run.

    The values of a setting are evenly spaced in their order; the result has a scale.

    Args:
        subjects: The lines.
        settings: The settings, in order.
    """
    scales = [_ordinal(subjects, name) for name in settings]
    scales.append(_linear("Validation accuracy", [item.val_accuracy for item in subjects]))
    lines = []
    for number, item in enumerate(subjects):
        # Side by side, so that lines with the same values can be told apart.
        shift = (number - (len(subjects) - 1) / 2) * _SIDE_BY_SIDE
        lines.append(
            Line(
                item.name,
                [None if (at := scale.places[number]) is None else at + shift for scale in scales],
                [scale.texts[number] for scale in scales],
                item.color,
                {"size": 9, "symbol": item.symbol, "line": EDGE},
            )
        )
    return parallel_chart([scale.axis for scale in scales], lines)


def trade_off(
    subjects: Sequence[Subject], costs: Sequence[float | None], title: str, unit: str
) -> go.Figure:
    """Validation accuracy against a cost, with the front that nobody beats.

    Args:
        subjects: The points; those without accuracy or cost are left out.
        costs: Of each subject.
        title: Of the cost.
        unit: Of the cost, such as ` ms`; may be empty.
    """
    points = [
        (item, cost, 100 * item.val_accuracy)
        for item, cost in zip(subjects, costs, strict=True)
        if cost is not None and item.val_accuracy is not None
    ]
    front = pareto_front([cost for _, cost, _ in points], [value for *_, value in points])
    figure = go.Figure()
    figure.add_scatter(
        name="Pareto front",
        x=[points[place][1] for place in front],
        y=[points[place][2] for place in front],
        mode="lines",
        line={"color": GREY, "width": 1.5, "dash": "dash", "shape": "hv"},
        hoverinfo="skip",
    )
    for place, (item, cost, value) in enumerate(points):
        unbeaten = place in front
        figure.add_scatter(
            name=item.name,
            x=[cost],
            y=[value],
            mode="markers",
            cliponaxis=False,
            marker={
                "symbol": item.symbol if unbeaten else f"{item.symbol}-open",
                "size": 12,
                "color": item.color,
                "line": {"width": 1.5, "color": "white" if unbeaten else item.color},
            },
            hovertemplate=f"{item.name}: %{{y:.1f}} % at %{{x:.3s}}{unit}"
            f"{', on the front' if unbeaten else ', beaten'}<extra></extra>",
        )
    frame(figure, height=330)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title=title, rangemode="tozero", zeroline=False, tickformat="~s")
    figure.update_yaxes(title="Validation accuracy, %", zeroline=False)
    return figure


def effects(items: Sequence[Effect]) -> go.Figure:
    """Differences from the baseline in percentage points, with their intervals.

    Args:
        items: In the order of the rows; significant ones are full, others hollow.
    """
    rows = list(dict.fromkeys(item.row for item in items))
    models = list(dict.fromkeys(item.model for item in items))
    figure = go.Figure()
    for item in items:
        # Several models in one row stand below one another.
        shift = (models.index(item.model) - (len(models) - 1) / 2) * 0.7 / len(models)
        sure = {True: ", significant", False: ", not significant", None: ""}[item.is_significant]
        low, high = item.difference.ci95
        hollow = item.is_significant is False
        figure.add_scatter(
            x=[100 * item.difference.delta],
            y=[rows.index(item.row) + shift],
            mode="markers",
            marker={
                "symbol": f"{item.symbol}-open" if hollow else item.symbol,
                "size": 9,
                "color": item.color,
            },
            error_x=error_bars(item.difference.delta, (low, high), item.color),
            hovertemplate=f"{item.model}, {item.row}: {100 * item.difference.delta:+.1f} "
            f"({100 * low:+.1f} to {100 * high:+.1f}){sure}<extra></extra>",
        )
    frame(figure, height=60 + len(rows) * max(ROW, 15 * len(models)))
    figure.update_layout(showlegend=False)
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5})
    figure.update_xaxes(title="Percentage points", zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[f"{row}  " for row in rows],
        range=[len(rows) - 0.5, -0.5],
        zeroline=False,
    )
    return figure


def two_answers(bars: Sequence[tuple[str, str, list[float]]], label: str) -> go.Figure:
    """The probabilities that models give to one image.

    Args:
        bars: Name, colour and seven probabilities of each model.
        label: The title of the image's label.
    """
    titles = [emotion.title for emotion in EMOTIONS]
    figure = go.Figure()
    for name, color, values in bars:
        figure.add_bar(
            name=name,
            x=[100 * value for value in values],
            y=[f"<b>{title}</b>" if title == label else title for title in titles],
            orientation="h",
            marker={"color": color, "line": {"width": 0}},
            hovertemplate=f"{name}: %{{y}} %{{x:.1f}} %<extra></extra>",
        )
    frame(figure, height=310)
    figure.update_layout(
        barmode="group",
        bargap=0.25,
        margin={"t": 34},
        legend=LEGEND,
    )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure


@dataclass(frozen=True)
class _Scale:
    """An axis of `parallel`, and where each subject is on it, in numbers and in words."""

    axis: Axis
    places: list[float | None]
    texts: list[str]


def _ordinal(subjects: Sequence[Subject], name: str) -> _Scale:
    values = [item.config.get(name) for item in subjects]
    distinct = {value_text(name, value): value for value in values}
    order = sorted(distinct, key=lambda text: _sort_key(distinct[text]))
    last = max(1, len(order) - 1)
    spaced = {text: place / last if len(order) > 1 else 0.5 for place, text in enumerate(order)}
    texts = [value_text(name, value) for value in values]
    ticks = {place: text for text, place in spaced.items()}
    return _Scale(Axis(fields.title(name), ticks), [spaced[text] for text in texts], texts)


def _linear(title: str, values: Sequence[float | None]) -> _Scale:
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    span = high - low
    places = [None if value is None else (value - low) / span if span else 0.5 for value in values]
    texts = ["—" if value is None else f"{100 * value:.1f} %" for value in values]
    ticks = {
        place: text
        for place, text in zip(places, texts, strict=True)
        if place is not None and place in (0, 0.5, 1)
    }
    return _Scale(Axis(title, ticks), places, texts)


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1 if value is not None else 2, 0.0, str(value))
