"""A table of shares as a plotly figure, shaded by strength: for confusions of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

_RGB = "75, 79, 196"
_STRONG = 0.4
# From next to nothing, which shows the ground of either theme, to one colour. With a step where the
# text changes its colour: cells are pale enough for the page's own, or dark enough for white.
_SCALE = [
    [share, f"rgba({_RGB}, {opacity})"]
    for share, opacity in ((0, 0.04), (_STRONG, 0.26), (_STRONG, 0.74), (1, 1))
]


def percents(shares: npt.NDArray[np.float64]) -> list[list[str]]:
    """What stands in the cells of a table of shares."""
    return [[f"{100 * share:.0f} %" for share in row] for row in shares]


def shaded(
    strength: npt.NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    **heatmap: Any,
) -> go.Figure:
    """A heatmap with the text of each cell in a colour that can be read.

    Args:
        strength: In `[0, 1]`, shape `(r, c)`.
        texts: What stands in the cells, `r` rows of `c`.
        rows: `r` names, from the top.
        columns: `c` names.
        **heatmap: More of plotly's heatmap, such as what it says on hovering.
    """
    figure = go.Figure()
    figure.add_heatmap(
        z=strength,
        x=columns,
        y=rows,
        colorscale=_SCALE,
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
        **heatmap,
    )
    for strong in (False, True):
        at = np.argwhere((strength >= _STRONG) == strong)
        figure.add_scatter(
            x=[columns[column] for _, column in at],
            y=[rows[row] for row, _ in at],
            text=[texts[row][column] for row, column in at],
            mode="text",
            textfont={"color": "#FFFFFF"} if strong else None,
            # Named only so that plotly does not dim the text when a cell is chosen.
            selected={"textfont": {"color": "#FFFFFF"}},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(side="top", showgrid=False)
    return figure
