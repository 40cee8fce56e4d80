"""The charts of the dataset page: pure functions from data to a plotly figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from app.charts import SPLIT_TITLES
from pipeline.dataset import SPLITS
from pipeline.dataset.embedding import PixelMap
from pipeline.labels import EMOTIONS

TITLES = [emotion.title for emotion in EMOTIONS]

_SPLIT_OPACITY = dict(zip(SPLITS, (1.0, 0.62, 0.32), strict=True))
_STRONG = 0.5
_NEUTRAL = "122, 130, 145"
_LINE = "#6266DA"
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None}


def balance(counts: dict[str, list[int]], *, grouped: bool, shares: bool) -> go.Figure:
    """Images per class, a bar for each split.

    Args:
        counts: `{split: [seven counts]}`, as in `DatasetMeta.counts`.
        grouped: Bars of the splits side by side, not on top of one another.
        shares: Shares instead of counts. Side by side: of each split, so that
            the splits compare. Stacked: of all images, so that the parts add up.
    """
    figure = go.Figure()
    whole = sum(map(sum, counts.values()))
    for split in SPLITS:
        values: list[float] = list(counts[split])
        if shares:
            base = (sum(counts[split]) if grouped else whole) or 1
            values = [value / base for value in values]
        figure.add_bar(
            name=SPLIT_TITLES[split],
            x=TITLES,
            y=values,
            marker={
                "color": [emotion.color for emotion in EMOTIONS],
                "opacity": _SPLIT_OPACITY[split],
                "line": {"width": 0},
            },
            hovertemplate=(
                f"%{{x}}, {SPLIT_TITLES[split].lower()}: "
                f"%{{y:{'.1%' if shares else ','}}}<extra></extra>"
            ),
            showlegend=False,
        )
        # The bars have seven colours, so the legend gets a neutral key of its own.
        figure.add_bar(
            name=SPLIT_TITLES[split],
            x=[TITLES[0]],
            y=[None],
            marker={"color": f"rgba({_NEUTRAL}, {_SPLIT_OPACITY[split]})"},
            # In the group of the real bars, so that it takes no room of its own.
            offsetgroup=SPLIT_TITLES[split],
            hoverinfo="skip",
        )
        figure.data[-2].offsetgroup = SPLIT_TITLES[split]
    _frame(figure, height=330)
    figure.update_layout(barmode="group" if grouped else "stack", bargap=0.25)
    figure.update_yaxes(tickformat=".0%" if shares else ",")
    return figure


def grey_values(histograms: npt.NDArray[np.int64], chosen: list[int]) -> go.Figure:
    """The share of pixels at each grey value, a line for each class.

    Args:
        histograms: Shape `(7, 256)`.
        chosen: The classes to draw.
    """
    figure = go.Figure()
    for index in chosen:
        total = histograms[index].sum()
        if total:
            figure.add_scatter(
                name=EMOTIONS[index].title,
                x=np.arange(histograms.shape[1]),
                y=histograms[index] / total,
                mode="lines",
                line={"color": EMOTIONS[index].color, "width": 1.6},
                hovertemplate="%{x}: %{y:.2%}",
            )
    _frame(figure, height=320)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title="Grey value", range=[0, 255])
    figure.update_yaxes(title="Share of pixels", tickformat=".1%", rangemode="tozero")
    return figure


def histogram(picture: npt.NDArray[np.uint8]) -> go.Figure:
    """How many pixels of one picture have each grey value, in 64 steps."""
    counts = np.bincount(picture.ravel() >> 2, minlength=64)
    figure = go.Figure()
    figure.add_bar(
        x=4 * np.arange(64) + 1.5,
        y=counts / counts.sum(),
        marker={"color": _LINE, "line": {"width": 0}},
        hovertemplate="%{x:.0f}: %{y:.1%}<extra></extra>",
    )
    _frame(figure, height=150)
    figure.update_layout(bargap=0)
    figure.update_xaxes(range=[0, 255], nticks=4)
    figure.update_yaxes(visible=False)
    return figure


def votes(names: list[str], counts: list[int], colors: list[str]) -> go.Figure:
    """The votes for one image, or mean votes of many, a bar each."""
    figure = go.Figure()
    figure.add_bar(
        x=counts,
        y=names,
        orientation="h",
        marker={"color": colors, "line": {"width": 0}},
        hovertemplate="%{y}: %{x}<extra></extra>",
    )
    _frame(figure, height=250)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure


def confusion(matrix: npt.NDArray[np.int64], columns: list[str]) -> go.Figure:
    """How the images of each label are called by others, as shares of the label.

    Args:
        matrix: Images, shape `(7, k)`; rows are the labels of FER-2013.
        columns: What the columns are, `k` names.
    """
    rows = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(rows, 1)
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=columns,
        y=TITLES,
        customdata=matrix,
        # From next to nothing, which shows the ground of either theme, to one colour.
        colorscale=[[0, "rgba(98, 102, 218, 0.04)"], [1, "rgba(98, 102, 218, 1)"]],
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
        hovertemplate=("label %{y}, taggers %{x}: %{customdata:,} images, %{z:.1%}<extra></extra>"),
    )
    # The numbers: in the theme's colour on pale cells, white on strong ones.
    for strong in (False, True):
        at = np.argwhere((shares >= _STRONG) == strong)
        figure.add_scatter(
            x=[columns[column] for _, column in at],
            y=[TITLES[row] for row, _ in at],
            text=[f"{shares[row, column]:.0%}" for row, column in at],
            mode="text",
            textfont={"color": "#FFFFFF"} if strong else None,
            hoverinfo="skip",
            showlegend=False,
        )
    _frame(figure, height=380)
    figure.update_yaxes(autorange="reversed", title="Label of FER-2013", showgrid=False)
    figure.update_xaxes(title="Majority of the FER+ taggers", side="top", showgrid=False)
    return figure


def pixel_map(found: PixelMap, labels: npt.NDArray[np.uint8], shown: npt.NDArray[Any]) -> go.Figure:
    """The map of images, a colour for each class.

    Args:
        found: Where each image is.
        labels: The label of each image.
        shown: Indices of the images to draw.
    """
    figure = go.Figure()
    for label, emotion in enumerate(EMOTIONS):
        indices = shown[labels[shown] == label]
        figure.add_scattergl(
            name=emotion.title,
            x=found.points[indices, 0],
            y=found.points[indices, 1],
            customdata=indices.astype(np.int32),
            mode="markers",
            marker={"color": emotion.color, "size": 4, "opacity": 0.6},
            hovertemplate=f"image %{{customdata}}, {emotion.title.lower()}<extra></extra>",
        )
    _frame(figure, height=560)
    figure.update_layout(
        margin={"r": 40},
        dragmode="lasso",
        legend={"itemsizing": "constant"},
        # Beside the chart, not on the legend.
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},
        uirevision="map",
    )
    for number, update in enumerate((figure.update_xaxes, figure.update_yaxes)):
        share = f"{found.explained[number]:.0%}"
        update(title=f"Axis {number + 1} ({share} of the variance)", zeroline=False)
        update(fixedrange=False)
    return figure


def _frame(figure: go.Figure, *, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 34, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={**_LEGEND, "itemclick": False, "itemdoubleclick": False},
    )
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
