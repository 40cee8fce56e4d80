"""Map: all images as points, near ones alike; a lasso opens them in the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import charts, dataset_charts
from app.charts import SPLIT_TITLES
from app.dataset_page import look
from app.dataset_page.desk import Desk, not_inspected
from app.dataset_page.gallery import Filters, select
from pipeline.dataset import SPLITS, Split
from pipeline.labels import EMOTIONS

_CONFIG = {**charts.CONFIG, "displayModeBar": True, "scrollZoom": True}
# More points than this are drawn as a sample: the browser stays fluid.
MOST_POINTS = 50_000


def tab(desk: Desk) -> None:
    """The map, coloured by class."""
    if desk.found is None:
        not_inspected(desk, "The places on the map")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        classes = st.multiselect(
            "Class",
            range(len(EMOTIONS)),
            format_func=lambda index: EMOTIONS[index].title,
            placeholder="Any",
            key="map_classes",
            width=300,
            persist_state="session",
        )
        splits = st.multiselect(
            "Split",
            SPLITS,
            format_func=SPLIT_TITLES.__getitem__,
            placeholder="Any",
            key="map_splits",
            width=260,
            persist_state="session",
        )
    filters = Filters(classes=tuple(classes), splits=tuple(Split(split) for split in splits))
    shown = select(desk.dataset, desk.found, desk.overlay, filters)
    if len(shown) > MOST_POINTS:
        shown = np.sort(np.random.default_rng(0).choice(shown, MOST_POINTS, replace=False))
        st.caption(f"A random {MOST_POINTS:,} of the images are drawn.")
    event = st.plotly_chart(
        dataset_charts.pixel_map(desk.found.map, np.asarray(desk.dataset.labels), shown),
        config=_CONFIG,
        key="pixel_map",
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        alt="Every image as a point, coloured by its label; images that look alike are near",
    )
    chosen = chosen_images(event)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{len(chosen):,}** images selected"
            if len(chosen)
            else "Draw a lasso around some points to open their images.",
            width="stretch",
        )
        look.link(desk, "Selected on the map", chosen, key="map_look")
    st.caption(
        "Principal components of the pixels at 24 × 24, each image brought to equal light and "
        "contrast. Pixels show pose and framing far more than expression, so the classes overlap."
    )


def chosen_images(event: Any) -> np.ndarray:
    """The indices of the images in a selection on the map, ascending."""
    points = event["selection"]["points"]
    indices = [np.ravel(point["customdata"])[0] for point in points if "customdata" in point]
    return np.unique(np.array(indices, np.intp))
