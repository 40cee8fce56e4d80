"""What a sweep found as plotly figures: pure functions, with no Streamlit in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from app.charts import ACCENT, GREY, growing_frame, whole_steps
from app.parallel_chart import Axis, Line, parallel_chart
from app.training.fields import choice, title
from pipeline.training.sweep import SweepDefinition, SweepField, TrialPhase, TrialRecord
from pipeline.training.sweep.store import best

_FROM_POOR_TO_GOOD = ["#9AA3B8", ACCENT, "#E0A100"]
"""All three read on light and on dark ground."""

Trials = Sequence[TrialRecord]


def history(trials: Trials, definition: SweepDefinition) -> go.Figure:
    """The metric of each trial by its number, and the best so far."""
    figure = _frame("Trial")
    finished = [item for item in trials if item.value is not None]
    pruned = [item for item in trials if item.phase is TrialPhase.PRUNED and item.curve]
    _dots(figure, [item.number for item in finished], finished, definition, "Finished")
    figure.add_scatter(
        x=[item.number for item in pruned],
        y=[scaled(_last(item), definition) for item in pruned],
        mode="markers",
        name="Pruned",
        marker={"symbol": "x-thin", "size": 8, "line": {"width": 2, "color": GREY}},
        hovertemplate="trial %{x}, pruned at %{y:.4g}<extra></extra>",
    )
    figure.add_scatter(
        x=[item.number for item in finished],
        y=[scaled(value, definition) for value in _best_so_far(finished, definition)],
        mode="lines",
        name="Best so far",
        line={"color": ACCENT, "width": 2, "shape": "hv"},
        hovertemplate="best up to trial %{x}: %{y:.4g}<extra></extra>",
    )
    last = max((item.number for item in trials), default=0)
    figure.update_xaxes(range=[-0.6, last + 0.6], dtick=whole_steps(last))
    return figure


def curves(trials: Trials, definition: SweepDefinition) -> go.Figure:
    """The metric of each trial by epoch; the best trial stands out, pruned ones are dotted."""
    figure = _frame("Epoch")
    winner = best(definition, list(trials))
    # What is drawn last lies on top.
    for item in sorted(
        trials, key=lambda item: winner is not None and item.number == winner.number
    ):
        if not item.curve:
            continue
        is_best = item is winner
        figure.add_scatter(
            x=list(item.curve),
            y=[scaled(value, definition) for value in item.curve.values()],
            mode="lines" if len(item.curve) > 1 else "markers",
            name=f"trial {item.number}",
            showlegend=False,
            opacity=1.0 if is_best else 0.55,
            line={
                "color": ACCENT if is_best else GREY,
                "width": 3 if is_best else 1.5,
                "dash": "dot" if item.phase is TrialPhase.PRUNED else "solid",
            },
            hovertemplate=f"trial {item.number}, epoch %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    last = max((max(item.curve, default=0) for item in trials), default=0)
    figure.update_xaxes(dtick=whole_steps(last))
    return figure


def importance(shares: Mapping[str, float]) -> go.Figure:
    """How much each setting explains, the most at the top.

    Args:
        shares: By setting; they sum to 1.
    """
    ordered = sorted(shares.items(), key=lambda pair: pair[1])
    figure = go.Figure()
    figure.add_bar(
        x=[100 * share for _, share in ordered],
        y=[title(name) for name, _ in ordered],
        orientation="h",
        marker={"color": ACCENT},
        text=[f"{100 * share:.0f} %" for _, share in ordered],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.0f} %<extra></extra>",
    )
    growing_frame(figure, height=max(150, 36 * len(ordered) + 40), kept="sweep")
    figure.update_xaxes(visible=False, range=[0, 118])
    figure.update_yaxes(ticksuffix="  ")
    return figure


def slices(trials: Trials, definition: SweepDefinition, field: SweepField) -> go.Figure:
    """The metric of the finished trials by one setting; later trials are stronger."""
    used = [item for item in trials if item.value is not None and field.name in item.params]
    figure = _frame(title(field.name), height=200)
    values = [item.params[field.name] for item in used]
    if field.choices:
        values = [_word(field, value) for value in values]
        every = [_word(field, value) for value in field.choices]
        figure.update_xaxes(
            categoryorder="array", categoryarray=every, range=[-0.5, len(every) - 0.5]
        )
    elif field.log:
        ends = math.log10(field.low or 1.0), math.log10(field.high or 1.0)
        # More than one mark a decade would be a crowd on a narrow chart.
        figure.update_xaxes(type="log", dtick=1, exponentformat="power", range=_padded(*ends))
    else:
        figure.update_xaxes(range=_padded(field.low or 0.0, field.high or 0.0))
    _dots(figure, values, used, definition, "Trial", by_age=True)
    figure.update_layout(showlegend=False)
    return figure


def parallel(trials: Trials, definition: SweepDefinition) -> go.Figure:
    """Each finished trial as a line over all settings to its metric; good ones are golden.

    Where a setting had no effect, the line of the trial has a gap.
    """
    finished = [item for item in trials if item.value is not None]
    values = [scaled(item.value or 0.0, definition) for item in finished]
    scales = [*map(_searched, definition.fields), _spanned(metric_title(definition), values)]
    names = [field.name for field in definition.fields]
    lines = []
    # What is drawn last lies on top: the best.
    for item, value in sorted(
        zip(finished, values, strict=True),
        key=lambda pair: pair[1],
        reverse=definition.direction == "minimize",
    ):
        drawn = [*(item.params.get(name) for name in names), value]
        goodness = scales[-1].place(value)
        goodness = 1 - goodness if definition.direction == "minimize" else goodness
        pairs = list(zip(scales, drawn, strict=True))
        lines.append(
            Line(
                f"trial {item.number}",
                [None if at is None else scale.place(at) for scale, at in pairs],
                [scale.text(at) for scale, at in pairs],
                sample_colorscale(_FROM_POOR_TO_GOOD, [goodness])[0],
                opacity=0.45 + 0.55 * goodness,
            )
        )
    return parallel_chart([scale.axis for scale in scales], lines)


def scaled(value: float, definition: SweepDefinition) -> float:
    """A value of the metric as it is shown: shares in per cent, a loss as it is."""
    return value if definition.metric == "val_loss" else 100 * value


def metric_title(definition: SweepDefinition) -> str:
    """The metric as an axis names it."""
    unit = "" if definition.metric == "val_loss" else ", %"
    return f"{choice('monitor', definition.metric)}{unit}"


def text(trials: Trials, definition: SweepDefinition) -> str:
    """What the figures show, in words, for those who cannot see them."""
    winner = best(definition, list(trials))
    if winner is None or winner.value is None:
        return "No trial has finished yet."
    recipe = ", ".join(f"{title(name).lower()} {value}" for name, value in winner.params.items())
    return (
        f"{sum(item.value is not None for item in trials)} trials have finished; the best is trial "
        f"{winner.number} with {metric_title(definition)} "
        f"{scaled(winner.value, definition):.4g}: {recipe}."
    )


@dataclass(frozen=True)
class _Scale:
    """An axis of `parallel`.

    Attributes:
        title: What is on it.
        place: Where a value is, in `[0, 1]`.
        text: A value as it is written.
        marks: The values that are written below the axis.
    """

    title: str
    place: Callable[[Any], float]
    text: Callable[[Any], str]
    marks: tuple[Any, ...]

    @property
    def axis(self) -> Axis:
        """The axis as it is drawn."""
        return Axis(self.title, {self.place(mark): self.text(mark) for mark in self.marks})


def _searched(field: SweepField) -> _Scale:
    """The axis of a setting: all of what is searched, whatever was tried of it."""
    if field.choices:
        last = len(field.choices) - 1

        def place(value: Any) -> float:
            return field.choices.index(value) / last

        return _Scale(title(field.name), place, partial(_word, field), field.choices)
    low, high = float(field.low or 0.0), float(field.high or 0.0)
    if not field.log:
        return _Scale(
            title(field.name),
            lambda value: (value - low) / (high - low),
            _number,
            (low, (low + high) / 2, high),
        )
    span = math.log(high / low)
    return _Scale(
        title(field.name),
        lambda value: math.log(value / low) / span,
        _number,
        (low, math.sqrt(low * high), high),
    )


def _spanned(name: str, values: Sequence[float]) -> _Scale:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low == high:
        return _Scale(name, lambda value: 0.5, _number, (low,))
    return _Scale(name, lambda value: (value - low) / (high - low), _number, (low, high))


def _number(value: Any) -> str:
    return "not used" if value is None else f"{value:.3g}"


def _dots(
    figure: go.Figure,
    x: Sequence[Any],
    trials: Trials,
    definition: SweepDefinition,
    name: str,
    *,
    by_age: bool = False,
) -> None:
    shades = [0.35 + 0.65 * place / max(1, len(trials) - 1) for place in range(len(trials))]
    figure.add_scatter(
        x=list(x),
        y=[scaled(item.value or 0.0, definition) for item in trials],
        mode="markers",
        name=name,
        customdata=[item.number for item in trials],
        marker={
            "size": 8,
            "color": ACCENT,
            "opacity": shades if by_age else 0.8,
        },
        hovertemplate="trial %{customdata}: %{y:.4g}<extra></extra>",
    )


def _padded(low: float, high: float) -> list[float]:
    """A range with room for the dots at its ends."""
    return [low - 0.05 * (high - low), high + 0.05 * (high - low)]


def _best_so_far(trials: Trials, definition: SweepDefinition) -> list[float]:
    better = min if definition.direction == "minimize" else max
    found: list[float] = []
    for item in trials:
        value = item.value or 0.0
        found.append(better(found[-1], value) if found else value)
    return found


def _last(trial: TrialRecord) -> float:
    return list(trial.curve.values())[-1]


def _word(field: SweepField, value: Any) -> str:
    if value is None:
        return "not used"
    if isinstance(value, bool):
        return "on" if value else "off"
    return choice(field.name, value)


def _frame(x_title: str, *, height: int = 260) -> go.Figure:
    figure = go.Figure()
    growing_frame(figure, height=height, kept="sweep")
    figure.update_xaxes(title=x_title)
    return figure
