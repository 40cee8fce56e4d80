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

SPLIT_TITLES = {Split.TRAIN: "Training", Split.VALIDATION: "Validation", Split.TEST: "Test"}
_SPLIT_OPACITY = {Split.TRAIN: 1.0, Split.VALIDATION: 0.62, Split.TEST: 0.32}
_LEGEND_RGB = "122, 130, 145"


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
        text=[f" {total:,} · {total / whole:.1%}" for total in totals],
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
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "traceorder": "normal",
            "itemclick": False,
            "itemdoubleclick": False,
        },
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
