"""Reports in, plotly figures out: pure functions, with no Streamlit in them.

Text and grid take their colours from the page's theme, light or dark; the
colours of the emotions come from `pipeline.labels` and are the same in both.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pipeline.dataset import SPLITS, Split
from pipeline.labels import EMOTIONS

CONFIG: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "responsive": True}
"""How the charts behave in the browser; nothing is fetched from elsewhere."""

TRANSPARENT = "rgba(0,0,0,0)"
GROUND: dict[str, Any] = {"paper_bgcolor": TRANSPARENT, "plot_bgcolor": TRANSPARENT}
"""Charts stand on the page's own ground, light or dark."""

LEGEND: dict[str, Any] = {
    "orientation": "h",
    "x": 0,
    "y": 1.0,
    "yanchor": "bottom",
    "traceorder": "normal",
    "title": None,
    "itemclick": False,
    "itemdoubleclick": False,
}
"""A row above the chart. A click on it would hide a part of what the text beside it speaks of."""

SPLIT_TITLES = {Split.TRAIN: "Training", Split.VALIDATION: "Validation", Split.TEST: "Test"}
_SPLIT_OPACITY = {Split.TRAIN: 1.0, Split.VALIDATION: 0.62, Split.TEST: 0.32}
_LEGEND_RGB = "122, 130, 145"


def frame(figure: go.Figure, *, height: int, right: int = 8) -> None:
    """The looks that most charts share: no zoom, room for the legend above and the axes' words.

    Args:
        figure: Is changed.
        height: In pixels.
        right: Margin at the right, pixels: room for half of the last number below the axis.
    """
    margin = {"l": 0, "r": right, "t": 34, "b": 0}
    figure.update_layout(**GROUND, height=height, margin=margin, legend=LEGEND)
    figure.update_xaxes(fixedrange=True, automargin=True, zeroline=False)
    figure.update_yaxes(fixedrange=True, automargin=True, zeroline=False)


def class_balance(counts: dict[str, list[int]]) -> go.Figure:
    """Images per class as horizontal bars, each stacked from the three splits.

    Args:
        counts: `{split: [seven counts]}`, as in `DatasetMeta.counts`.
    """
    titles = [emotion.title for emotion in EMOTIONS]
    totals = [sum(counts[split][index] for split in SPLITS) for index in range(len(EMOTIONS))]
    whole = sum(totals) or 1
    figure = go.Figure()
    for split in SPLITS:
        figure.add_bar(
            name=SPLIT_TITLES[split],
            x=counts[split],
            y=titles,
            orientation="h",
            marker={
                "color": [emotion.color for emotion in EMOTIONS],
                "opacity": _SPLIT_OPACITY[split],
                "line": {"width": 0},
            },
            hovertemplate=f"%{{y}}, {SPLIT_TITLES[split].lower()}: %{{x:,}}<extra></extra>",
            showlegend=False,
        )
        # The bars have seven colours, so the legend gets a neutral key of its own.
        figure.add_bar(
            name=SPLIT_TITLES[split],
            x=[None],
            y=[titles[0]],
            orientation="h",
            marker={"color": f"rgba({_LEGEND_RGB}, {_SPLIT_OPACITY[split]})"},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=totals,
        y=titles,
        mode="text",
        text=[f" {total:,} · {100 * total / whole:.1f} %" for total in totals],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_layout(
        barmode="stack",
        bargap=0.28,
        height=310,
        margin={"l": 0, "r": 8, "t": 34, "b": 0},
        **GROUND,
        legend=LEGEND,
        # Room right of the longest bar for its number.
        xaxis={"visible": False, "fixedrange": True, "range": [0, max([*totals, 1]) * 1.34]},
        yaxis={"autorange": "reversed", "fixedrange": True, "title": None, "ticksuffix": "  "},
    )
    return figure


def class_balance_text(counts: dict[str, list[int]]) -> str:
    """What `class_balance` shows, in words, for those who cannot see it."""
    totals = {
        emotion.title: sum(counts[split][index] for split in SPLITS)
        for index, emotion in enumerate(EMOTIONS)
    }
    return "Images per class: " + ", ".join(f"{name} {n:,}" for name, n in totals.items())
