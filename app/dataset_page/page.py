"""The dataset page as a whole: its tabs, of which only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import dataset_view, get_data, views
from app.dataset_page import balance, disagreement, edits, image_map, look, preview, quality
from app.dataset_page.desk import Desk, open_desk, trouble

TABS: dict[str, Callable[[Desk], None]] = {
    ":material/bar_chart: Balance": balance.tab,
    look.TITLE: look.tab,
    ":material/fact_check: Quality": quality.tab,
    ":material/how_to_vote: Disagreement": disagreement.tab,
    ":material/auto_fix_high: Previews": preview.tab,
    ":material/scatter_plot: Map": image_map.tab,
    ":material/edit_note: Edits": edits.tab,
}


def no_dataset() -> None:
    """What to do when there is nothing to look at."""
    if get_data.is_coming():
        views.under_way("A dataset is on its way")
        return
    views.empty_state("No dataset yet", "Get one here; this page then shows what is in it.")
    with views.card("Get a dataset", "database", key="get_data"):
        get_data.section()


def board(name: str) -> None:
    """The tabs of a dataset.

    Args:
        name: The active dataset.
    """
    with views.guarded():
        desk = open_desk(name)
        meta = desk.dataset.meta
        # Not as a caption: that would make the badges too pale to read.
        st.markdown(
            f":small[:gray[{views.plain(meta.title)} · {meta.num_samples:,} images]] "
            f"{dataset_view.badges(meta)}"
        )
        trouble()
        views.tabs(TABS, desk, key=look.TABS)
