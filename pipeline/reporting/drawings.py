"""Figures of a report as SVG: pure functions of numbers, drawn by hand.

Colours are variables of the page's style, so that one drawing serves light, dark
and paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from pipeline.reporting.words import percent

INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"
ACCENT, SECOND = "var(--accent)", "var(--second)"

_WIDTH = 700
_Point = tuple[float, float]


@dataclass(frozen=True)
class Span:
    """One row of a chart of ranges.

    Attributes:
        name: Whose it is.
        low: The lower end, in `[0, 1]`.
        value: The figure itself; `None` if only its range is known.
        high: The upper end.
        is_own: Whether it is of the model that the report is about.
    """

    name: str
    low: float
    value: float | None
    high: float
    is_own: bool


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What it shows.
        points: Its points, `(x, y)`, in order.
        color: As CSS has it.
        has_dots: Whether its points are marked.
    """

    name: str
    points: tuple[_Point, ...]
    color: str
    has_dots: bool = True


def ranges(spans: Sequence[Span]) -> str:
    """Figures with their ranges, one below the other; from 0 to 100 %."""
    row, left, top = 28, 250, 8
    height = top + row * len(spans) + 34
    x = _scale(0, 1, left, _WIDTH - 60)
    parts = [_percent_ticks(x, top, height - 30)]
    for number, span in enumerate(spans):
        y = top + row * (number + 0.5)
        color = ACCENT if span.is_own else SOFT
        parts.append(_text(left - 12, y + 4, span.name, anchor="end"))
        parts.append(_stroke((x(span.low), y), (x(span.high), y), color, 3))
        if span.value is not None:
            parts.append(f'<circle cx="{x(span.value):.1f}" cy="{y:.1f}" r="5.5" fill="{color}"/>')
        told = f"{100 * span.low:.0f} to {100 * span.high:.0f} %"
        if span.value is not None:
            told = percent(span.value)
        parts.append(_text(x(span.high) + 10, y + 4, told, soft=not span.is_own))
    return _svg(height, parts)


def bars(names: Sequence[str], series: Sequence[tuple[str, Sequence[float], str]]) -> str:
    """Shares as bars, a group for each name; each series has a title, values and a colour."""
    group, left, top = 14 * len(series) + 12, 100, 30
    height = top + group * len(names) + 30
    x = _scale(0, 1, left, _WIDTH - 60)
    parts = [
        _legend([(title, color) for title, _, color in series], left),
        _percent_ticks(x, top, height - 26),
    ]
    for number, name in enumerate(names):
        y = top + group * number + 6
        parts.append(_text(left - 12, y + 7 * len(series) + 4, name, anchor="end"))
        for place, (_, values, color) in enumerate(series):
            length, at = x(values[number]) - left, y + 14 * place
            parts.append(
                f'<rect x="{left}" y="{at:.1f}" width="{max(length, 0):.1f}" height="11" rx="2" '
                f'fill="{color}"/>'
            )
            parts.append(
                _text(left + length + 6, at + 10, percent(values[number]), soft=True, size=11)
            )
    return _svg(height, parts)


def chart(
    lines: Sequence[Line], *, x_title: str, y_title: str, y_low: float = 0.0, diagonal: bool = False
) -> str:
    """Lines over two shares, both axes in per cent.

    Args:
        lines: What is drawn.
        x_title: Below the horizontal axis, from 0 to 100 %.
        y_title: Above the vertical axis.
        y_low: Where the vertical axis begins, in `[0, 1)`.
        diagonal: Whether the line of equal shares is drawn.
    """
    left, right, top, bottom = 56, _WIDTH - 20, 56, 330
    x, y = _scale(0, 1, left, right), _scale(y_low, 1, bottom, top)
    parts = [_percent_ticks(x, top, bottom)]
    for step in range(5):
        share = y_low + (1 - y_low) * step / 4
        parts.append(_stroke((left, y(share)), (right, y(share)), LINE, 1))
        parts.append(_text(left - 8, y(share) + 4, f"{share:.0%}", anchor="end", soft=True))
    parts.append(_legend([(line.name, line.color) for line in lines], left))
    parts.append(_text(left, top - 12, y_title, soft=True))
    parts.append(_text((left + right) / 2, bottom + 40, x_title, anchor="middle", soft=True))
    if diagonal:
        parts.append(_stroke((x(y_low), y(y_low)), (x(1), y(1)), SOFT, 1, dash="4 4"))
    for line in lines:
        placed = [(x(a), y(max(b, y_low))) for a, b in line.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="2.2"/>'
        )
        if line.has_dots:
            parts += [
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.4" fill="{line.color}"/>'
                for a, b in placed
            ]
    return _svg(bottom + 50, parts)


def _svg(height: float, parts: Sequence[str]) -> str:
    # What it shows is told by the caption and by tables: a reader of screens skips it.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    return lambda value: first + (last - first) * (value - low) / (high - low)


def _percent_ticks(x: Callable[[float], float], top: float, bottom: float) -> str:
    parts = []
    for step in range(5):
        share = step / 4
        parts.append(_stroke((x(share), top), (x(share), bottom), LINE, 1))
        parts.append(_text(x(share), bottom + 18, f"{share:.0%}", anchor="middle", soft=True))
    return "".join(parts)


def _legend(entries: Sequence[tuple[str, str]], left: float) -> str:
    parts, at = [], left
    for title, color in entries:
        parts.append(
            f'<rect x="{at:.0f}" y="6" width="12" height="12" rx="2" fill="{color}"/>'
            + _text(at + 18, 16, title)
        )
        at += 40 + 7.4 * len(title)
    return "".join(parts)


def _stroke(start: _Point, end: _Point, color: str, width: float, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{color}" stroke-width="{width}"{dashed}/>'
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", soft: bool = False, size: int = 13
) -> str:
    kind = ' class="soft"' if soft else ""
    sized = f' style="font-size: {size}px"' if size != 13 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}{sized}>{escape(text)}</text>'
    )
