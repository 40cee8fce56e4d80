"""The charts of the dataset page: pure functions from data to a plotly figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from app.charts import ACCENT, DASHES, GREY, SPLIT_STRENGTHS, SPLIT_TITLES, frame, tint
from app.matrix_chart import percents, shaded
from pipeline.dataset import SPLITS, Split
from pipeline.dataset.embedding import ImageMap
from pipeline.labels import EMOTIONS

TITLES = [emotion.title for emotion in EMOTIONS]

_COLORS = [emotion.color for emotion in EMOTIONS]
_FAINT = SPLIT_STRENGTHS[Split.TEST]


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
            offsetgroup=SPLIT_TITLES[split],
            marker=_fill(_COLORS, SPLIT_STRENGTHS[split]),
            hovertemplate=(
                f"%{{x}}, {SPLIT_TITLES[split].lower()}: "
                f"%{{y:{'.1%' if shares else ','}}}<extra></extra>"
            ),
            showlegend=False,
        )
        _legend_key(figure, SPLIT_TITLES[split], SPLIT_STRENGTHS[split])
    frame(figure, height=330)
    figure.update_layout(barmode="group" if grouped else "stack", bargap=0.25)
    figure.update_yaxes(tickformat=".0%" if shares else ",")
    return figure


def resampling(before: Sequence[int], after: Sequence[int]) -> go.Figure:
    """Images of each class in an epoch as the data are, and as they would be drawn.

    Args:
        before: Images of each class, seven counts.
        after: Images drawn of each class, likewise.
    """
    figure = go.Figure()
    for name, counts, strength in (("Now", before, _FAINT), ("Then", after, 1.0)):
        figure.add_bar(
            name=name,
            x=TITLES,
            y=list(counts),
            offsetgroup=name,
            marker=_fill(_COLORS, strength),
            hovertemplate=f"%{{x}}, {name.lower()}: %{{y:,}}<extra></extra>",
            showlegend=False,
        )
        _legend_key(figure, name, strength)
    frame(figure, height=280)
    figure.update_layout(barmode="group", bargap=0.25)
    figure.update_yaxes(tickformat=",")
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
                line={"color": EMOTIONS[index].color, "width": 1.6, "dash": DASHES[index]},
                hovertemplate="%{x}: %{y:.2%}",
            )
    frame(figure, height=320)
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
        marker={"color": ACCENT, "line": {"width": 0}},
        hovertemplate="%{x:.0f}: %{y:.1%}<extra></extra>",
    )
    frame(figure, height=150)
    figure.update_layout(bargap=0)
    figure.update_xaxes(range=[0, 255], nticks=4)
    figure.update_yaxes(visible=False)
    return figure


def votes(names: list[str], counts: list[int], colors: list[str]) -> go.Figure:
    """The votes for one image, a bar each."""
    figure = go.Figure()
    figure.add_bar(
        x=counts,
        y=names,
        orientation="h",
        marker={"color": colors, "line": {"width": 0}},
        hovertemplate="%{y}: %{x}<extra></extra>",
    )
    frame(figure, height=250)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    figure.update_xaxes(dtick=max(1, max(counts) // 5))  # there is no half a vote
    return figure


def confusion(matrix: npt.NDArray[np.int64], columns: list[str]) -> go.Figure:
    """How the images of each label are called by others, as shares of the label.

    Args:
        matrix: Images, shape `(7, k)`; rows are the labels of FER-2013.
        columns: What the columns are, `k` names.
    """
    rows = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(rows, 1)
    figure = shaded(
        shares,
        percents(shares),
        rows=TITLES,
        columns=columns,
        customdata=matrix,
        hovertemplate=("label %{y}, taggers %{x}: %{customdata:,} images, %{z:.1%}<extra></extra>"),
    )
    frame(figure, height=380)
    figure.update_yaxes(title="Label of FER-2013")
    figure.update_xaxes(title="Majority of the FER+ taggers")
    return figure


def image_map(
    found: ImageMap, labels: npt.NDArray[np.uint8], shown: npt.NDArray[np.intp]
) -> go.Figure:
    """The map of images, a colour for each class.

    Args:
        found: Where the images are.
        labels: The label of each image of the dataset.
        shown: Indices of the images to draw, ascending; those that the map does
            not hold are left out.
    """
    figure = go.Figure()
    shown = np.intersect1d(shown, found.images, assume_unique=True)
    points = found.points[np.searchsorted(found.images, shown)]
    for label, emotion in enumerate(EMOTIONS):
        chosen = labels[shown] == label
        figure.add_scattergl(
            name=emotion.title,
            x=points[chosen, 0],
            y=points[chosen, 1],
            customdata=shown[chosen].astype(np.int32),
            mode="markers",
            marker={"color": emotion.color, "size": 4, "opacity": 0.6},
            hovertemplate=f"image %{{customdata}}, {emotion.title.lower()}<extra></extra>",
        )
    frame(figure, height=560)
    figure.update_layout(
        margin={"r": 40},
        dragmode="lasso",
        legend={"itemsizing": "constant"},
        # Beside the chart, not on the legend.
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},
        uirevision="map",
    )
    for number, update in enumerate((figure.update_xaxes, figure.update_yaxes)):
        update(zeroline=False, fixedrange=False)
        if len(found.explained):
            share = f"{100 * found.explained[number]:.0f} %"
            update(title=f"Axis {number + 1} ({share} of the variance)")
        else:
            update(showticklabels=False, showgrid=False)
    return figure


def _fill(colors: list[str], strength: float) -> dict[str, Any]:
    """Bars in tints of colours; their outlines show on any ground."""
    tints = [tint(color, strength) for color in colors]
    return {"color": tints, "line": {"width": 1, "color": colors}}


def _legend_key(figure: go.Figure, name: str, strength: float) -> None:
    """Gives bars of seven colours a neutral key of their own in the legend."""
    figure.add_bar(
        name=name,
        x=[TITLES[0]],
        y=[None],
        marker=_fill([GREY], strength),
        # In the group of the real bars, so that it takes no room of its own.
        offsetgroup=name,
        hoverinfo="skip",
    )
