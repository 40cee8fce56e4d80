"""The charts of the evaluation page: pure functions from plain data to a plotly figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import ACCENT, DASHES, GREY, frame
from app.matrix_chart import percents, shaded
from pipeline.evaluation import EvaluationReport
from pipeline.evaluation.calibration import Reliability
from pipeline.evaluation.curves import Curve, ScoreHistogram
from pipeline.labels import EMOTIONS
from pipeline.recognition.contract import OperatingPoint

TITLES = [emotion.title for emotion in EMOTIONS]
_FAINT = "rgba(122, 130, 145, 0.5)"
_CELL = 46


def confusion(
    matrix: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64] | None,
    order: Sequence[int],
    *,
    chosen: tuple[int, int] | None = None,
) -> go.Figure:
    """The confusion matrix; each cell can be chosen, and holds its true and predicted class.

    Args:
        matrix: Images, rows true, columns predicted, shape `(7, 7)`.
        values: The share of each cell in its row or column; `None` writes counts.
        order: The classes, from the top and from the left.
        chosen: The true and the predicted class of the cell to mark.
    """
    names = [TITLES[label] for label in order]
    counts = matrix[np.ix_(order, order)]
    # The strength of a count is its share of its row: else the common classes drown the others.
    rows = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    strength = rows if values is None else values[np.ix_(order, order)]
    texts = (
        percents(strength) if values is not None else [[f"{n:,}" for n in row] for row in counts]
    )
    figure = shaded(strength, texts, rows=names, columns=names, hoverinfo="skip")
    cells = [(row, column) for row in range(len(order)) for column in range(len(order))]
    # A click on a heatmap does not reach Streamlit; one on a point does, seen or not.
    figure.add_scatter(
        x=[names[column] for _, column in cells],
        y=[names[row] for row, _ in cells],
        mode="markers",
        marker={"size": _CELL - 8, "symbol": "square", "color": "rgba(0,0,0,0)"},
        unselected={"marker": {"opacity": 0}},
        customdata=[
            [order[row], order[column], int(counts[row, column]), float(strength[row, column])]
            for row, column in cells
        ],
        hovertemplate=(
            "%{y} taken for %{x}: %{customdata[2]:,} images, %{customdata[3]:.1%}<extra></extra>"
        ),
        showlegend=False,
    )
    if chosen is not None:
        _mark(figure, order.index(chosen[0]), order.index(chosen[1]))
    frame(figure, height=90 + _CELL * len(order), right=20)
    figure.update_layout(dragmode=False, hoverdistance=-1)
    figure.update_yaxes(title="True")
    figure.update_xaxes(title="Predicted")
    return figure


def class_scores(report: EvaluationReport) -> go.Figure:
    """Precision, recall and F1 of each class."""
    figure = go.Figure()
    for name, symbol, color in (
        ("Precision", "triangle-left", "#2F8F83"),
        ("Recall", "triangle-right", "#9C5FB5"),
        ("F1", "diamond", ACCENT),
    ):
        values = [getattr(report.per_class[emotion.name], name.lower()) for emotion in EMOTIONS]
        figure.add_scatter(
            name=name,
            x=[100 * value for value in values],
            y=TITLES,
            mode="markers",
            marker={"symbol": symbol, "size": 13, "color": color},
            hovertemplate=f"%{{y}}, {name}: %{{x:.1f}} %<extra></extra>",
        )
    frame(figure, height=330, right=20)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    figure.update_xaxes(range=[0, 103], ticksuffix=" %", dtick=20)
    return figure


def curves(
    found: Mapping[int, Curve], *, roc: bool, guess: Mapping[int, float] | None = None
) -> go.Figure:
    """Curves of one class against the rest.

    Args:
        found: By class; thinned for the browser.
        roc: True positives against false ones; else precision against recall.
        guess: Of each class, the precision of a guess; a faint line where there
            is one curve only.
    """
    figure = go.Figure()
    if roc:
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": _FAINT, "dash": "dot"},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    elif guess and len(found) == 1:
        figure.add_hline(
            y=guess[next(iter(found))], line={"color": _FAINT, "dash": "dot"}, layer="below"
        )
    x_name, y_name = ("False positives", "True positives") if roc else ("Recall", "Precision")
    for label, curve in found.items():
        figure.add_scatter(
            name=f"{TITLES[label]} {curve.area:.3f}",
            x=curve.x,
            y=curve.y,
            mode="lines",
            line={"color": EMOTIONS[label].color, "width": 2, "dash": DASHES[label]},
            hovertemplate=(
                f"{TITLES[label]}: {x_name.lower()} %{{x:.1%}}, {y_name.lower()} %{{y:.1%}}"
                "<extra></extra>"
            ),
        )
    frame(figure, height=430, right=20)
    figure.update_layout(legend={"y": -0.2, "yanchor": "top"}, margin={"t": 8, "r": 20})
    figure.update_xaxes(title=x_name, range=[-0.01, 1.02], tickformat=".0%", dtick=0.2)
    figure.update_yaxes(title=y_name, range=[-0.01, 1.03], tickformat=".0%")
    return figure


def scores(histogram: ScoreHistogram, label: int) -> go.Figure:
    """The probability of a class, on its own images and on all others."""
    figure = go.Figure()
    edges = histogram.edges
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    for name, values, color in (
        (f"{TITLES[label]} images", histogram.own, EMOTIONS[label].color),
        ("All others", histogram.others, _FAINT),
    ):
        figure.add_bar(
            name=name,
            x=middles,
            y=values,
            width=width,
            opacity=0.75,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate=f"{name.lower()} at %{{x:.0%}}: %{{y:.1%}}<extra></extra>",
        )
    frame(figure, height=300, right=20)
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title=f"Probability of {TITLES[label].lower()}", tickformat=".0%")
    figure.update_yaxes(title="Share of the images", tickformat=".0%")
    return figure


def reliability(found: Mapping[str, Reliability]) -> go.Figure:
    """How often answers of about the same confidence are right, and how many there are.

    Args:
        found: By what the interface calls it, at the most two; the last is the
            one in use. Bins without an answer are left out.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[3, 1], vertical_spacing=0.05)
    figure.add_scatter(
        name="Perfect",
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": _FAINT, "dash": "dot"},
        hoverinfo="skip",
    )
    for place, (name, bins) in enumerate(found.items()):
        in_use = place == len(found) - 1
        some = bins.counts > 0
        color = ACCENT if in_use else GREY
        figure.add_scatter(
            name=name,
            x=bins.confidence[some],
            y=bins.accuracy[some],
            customdata=bins.counts[some],
            mode="lines+markers",
            line={"color": color, "dash": "solid" if in_use else "dash"},
            marker={"symbol": "circle" if in_use else "x", "size": 8},
            hovertemplate=(
                f"{name.lower()}, confidence %{{x:.0%}}: %{{y:.1%}} of %{{customdata:,}} right"
                "<extra></extra>"
            ),
        )
        figure.add_bar(
            x=(bins.edges[:-1] + bins.edges[1:]) / 2,
            y=bins.counts,
            marker={"color": color, "line": {"width": 0}},
            hovertemplate=f"{name.lower()}: %{{y:,}} answers<extra></extra>",
            showlegend=False,
            row=2,
            col=1,
        )
    frame(figure, height=480, right=20)
    figure.update_layout(bargap=0.1, bargroupgap=0)
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", dtick=0.2)
    figure.update_xaxes(title="Confidence", row=2, col=1)
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%", title="Share right", row=1, col=1)
    figure.update_yaxes(title="Answers", nticks=4, row=2, col=1)
    return figure


def coverage(points: Sequence[OperatingPoint], now: OperatingPoint) -> go.Figure:
    """Accuracy of the answers against the share of faces that get one.

    Args:
        points: What the thresholds give.
        now: The one to mark.
    """
    figure = go.Figure()
    drawn = [point for point in points if point.accuracy is not None]
    figure.add_scatter(
        x=[point.coverage for point in drawn],
        y=[point.accuracy for point in drawn],
        customdata=[point.threshold for point in drawn],
        mode="lines",
        line={"color": ACCENT, "width": 2.5},
        hovertemplate=(
            "unsure below %{customdata:.0%}: %{x:.1%} answered, %{y:.1%} of them right"
            "<extra></extra>"
        ),
        showlegend=False,
    )
    if now.accuracy is not None:
        figure.add_scatter(
            x=[now.coverage],
            y=[now.accuracy],
            mode="markers",
            marker={
                "symbol": "star",
                "size": 16,
                "color": ACCENT,
                "line": {"width": 1, "color": "white"},
            },
            hovertemplate=f"unsure below {now.threshold:.0%}<extra></extra>",
            showlegend=False,
        )  # fmt: skip
    frame(figure, height=340, right=20)
    figure.update_xaxes(
        title="Faces that get an answer", range=[-0.01, 1.02], tickformat=".0%", dtick=0.2
    )
    figure.update_yaxes(title="Answers that are right", tickformat=".0%")
    return figure


def _mark(figure: go.Figure, row: int, column: int) -> None:
    # Dark and light together are seen on any ground.
    for color, width in (("#1D2130", 5), ("#FFFFFF", 2)):
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": color, "width": width},
        )
