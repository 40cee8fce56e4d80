"""Look: the images themselves, filtered, one at large, and what a class looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from app import tables, views
from app.charts import CONFIG, SPLIT_TITLES
from app.dataset_page import charts, detail, gallery, grid
from app.dataset_page.desk import Desk, image_table, not_inspected, open_desk
from app.dataset_page.gallery import CopyFilter, EditFilter, Filters, Indices, Order, VoteFilter
from app.dataset_page.grid import Pages
from pipeline.dataset import SPLITS, Split
from pipeline.labels import EMOTIONS

# That of a chequerboard of single pixels.
_MOST_SHARPNESS = 8.0
PAGE_SIZES = (60, 120, 240)
TABS = "dataset_tab"
"""The key of the page's tabs."""
TITLE = ":material/grid_view: Look"

# A list of images that another tab wants to be looked at: the fingerprint of their dataset,
# what they have in common, their indices.
_AMONG = "look_among"
LEGEND = " ".join(
    f':small[:color[●]{{foreground="{emotion.color}"}} {emotion.title}]' for emotion in EMOTIONS
)


def tab(desk: Desk) -> None:
    """The sample grid, and what classes look like on the whole."""
    # Set here and not as a default, because the links of other tabs set it too.
    st.session_state.setdefault("look_view", "Images")
    view = st.segmented_control(
        "View",
        ("Images", "Class averages"),
        required=True,
        key="look_view",
        label_visibility="collapsed",
    )
    if view == "Images":
        _samples(desk.dataset.name)
    elif desk.found is None:
        not_inspected(desk, "The averages")
    else:
        _averages(desk)


def link(desk: Desk, title: str, images: Indices, *, key: str) -> None:
    """A button that opens a list of images in the grid.

    Args:
        desk: The dataset on the page.
        title: What they have in common.
        images: Their indices.
        key: Of the button.
    """
    st.button(
        "Open in the grid",
        key=key,
        icon=":material/grid_view:",
        disabled=not len(images),
        on_click=_look_at,
        args=(desk.dataset.meta.fingerprint, title, images),
    )


@st.fragment
def _samples(name: str) -> None:
    # Opened anew: a fragment runs again with the arguments of its first run, and by then the
    # dataset may have been deleted in another tab.
    with views.guarded():
        _grid(open_desk(name))


def _grid(desk: Desk) -> None:
    filters = _filters(desk)
    narrowing = gallery.narrowing(desk.found, filters)
    indices = gallery.select(desk.dataset, desk.found, desk.overlay, filters)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order, seed = _order(desk)
        shown = gallery.arrange(indices, order, seed, desk.found)
        page_size = _choice("Images a page", list(PAGE_SIZES), "look_page_size", 120)
        pages = Pages("look_page", page_size, bind="query-params")
        on_page = shown[pages.shown(len(shown))]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hidden = f", by {', '.join(narrowing)}" if narrowing else ""
        st.markdown(f"**{len(shown):,}** images{hidden}  \n{LEGEND}", width="stretch")
        detail.open_by_index(desk, shown, pages)
        tables.download(
            lambda: image_table(desk, shown), f"{desk.dataset.name}-images", label="List as CSV"
        )
    if not len(on_page):
        st.info("No image passes these filters: widen one of them.", icon=":material/filter_alt:")
        return
    sheet = gallery.sheet(desk.dataset, on_page, desk.overlay)
    chosen = grid.faces(sheet, key="look_grid", current=detail.last())
    if chosen is not None:
        detail.show(desk, chosen, shown, pages)


def _filters(desk: Desk) -> Filters:
    fingerprint, *among = st.session_state.get(_AMONG, ("",))
    if fingerprint != desk.dataset.meta.fingerprint:
        among = []  # of the dataset that was active before
    if among:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(f"{among[0]}: {len(among[1]):,} images", icon=":material/filter_alt:")
            st.button("Show all images", key="look_all", type="tertiary", on_click=_forget_among)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = class_and_split("look")
        with st.popover("More filters", icon=":material/tune:"):
            more = _more_filters(desk)
    return replace(wanted, among=among[1] if among else None, **more)


def class_and_split(prefix: str) -> Filters:
    """The choice of classes and splits, which stands in the address too.

    Args:
        prefix: Begins the keys of the widgets.
    """
    classes = st.multiselect(
        "Class",
        range(len(EMOTIONS)),
        format_func=lambda index: EMOTIONS[index].title,
        placeholder="Any",
        key=f"{prefix}_classes",
        bind="query-params",
        width=260,
    )
    splits = st.multiselect(
        "Split",
        SPLITS,
        format_func=SPLIT_TITLES.__getitem__,
        placeholder="Any",
        key=f"{prefix}_splits",
        bind="query-params",
        width=220,
    )
    return Filters(classes=tuple(classes), splits=tuple(Split(split) for split in splits))


def _choice(label: str, options: list[Any], key: str, width: int) -> Any:
    # A tab that is not open has no widgets; in the address, its choices stay all the same.
    return st.selectbox(label, options, key=key, width=width, bind="query-params")


def _more_filters(desk: Desk) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if desk.dataset.votes is not None:
        chosen["votes"] = VoteFilter(_choice("FER+ taggers", list(VoteFilter), "look_votes", 260))
    if desk.overlay.version:
        chosen["edits"] = EditFilter(_choice("Edits", list(EditFilter), "look_edits", 260))
    if desk.found is None:
        st.caption("Copies, brightness and sharpness can be chosen when the images are inspected.")
        return chosen
    chosen["copies"] = CopyFilter(_choice("Copies", list(CopyFilter), "look_copies", 260))
    chosen["brightness"] = st.slider(
        "Brightness",
        0,
        255,
        (0, 255),
        key="look_brightness",
        width=260,
        bind="query-params",
    )
    limits = st.slider(
        "Sharpness",
        0.0,
        _MOST_SHARPNESS,
        (0.0, _MOST_SHARPNESS),
        step=0.1,
        key="look_sharpness",
        width=260,
        bind="query-params",
    )
    # At the edge of an image it may be a little more.
    chosen["sharpness"] = None if limits[1] - limits[0] == _MOST_SHARPNESS else limits
    return chosen


def _order(desk: Desk) -> tuple[Order, int]:
    orders = list(Order) if desk.found is not None else [Order.SHUFFLED, Order.INDEX]
    order = Order(_choice("Order", orders, "look_order", 170))
    if order is not Order.SHUFFLED:
        return order, 0
    seed = st.number_input("Seed", 0, 2**31 - 1, key="look_seed", bind="query-params", width=120)
    st.button("Shuffle", key="look_shuffle", icon=":material/shuffle:", on_click=_next_seed)
    return order, int(seed)


def _next_seed() -> None:
    st.session_state["look_seed"] = st.session_state.get("look_seed", 0) + 1
    st.session_state["look_page"] = 1


def _look_at(fingerprint: str, title: str, images: Indices) -> None:
    st.session_state[_AMONG] = (fingerprint, title, tuple(images.tolist()))
    st.session_state["look_page"] = 1
    st.session_state["look_view"] = "Images"
    st.session_state[TABS] = TITLE


def _forget_among() -> None:
    st.session_state.pop(_AMONG, None)


def _averages(desk: Desk) -> None:
    if desk.found is None:
        return
    statistics = desk.found.statistics
    views.heading("Mean face", " of each class, and the **standard deviation** of each pixel below")
    brightest = max(float(statistics.deviations.max()), 1.0)
    with st.grid(7, min_column_width=84, gap="small"):
        for index, emotion in enumerate(EMOTIONS):
            with st.container(gap="xxsmall"):
                if not statistics.histograms[index].any():
                    st.caption(f"No image of {emotion.name}")
                    continue
                st.image(
                    statistics.means[index].round().astype(np.uint8),
                    width="stretch",
                    alt=f"Mean face labelled {emotion.name}",
                )
                st.image(
                    (255 * statistics.deviations[index] / brightest).astype(np.uint8),
                    width="stretch",
                    alt=f"Standard deviation of the faces labelled {emotion.name}",
                )
                st.markdown(f':small[:color[●]{{foreground="{emotion.color}"}} {emotion.title}]')
    st.caption(f"White in the lower row is a standard deviation of {brightest:.0f} grey values.")
    views.heading("Grey values", " of all pixels")
    present = [index for index in range(len(EMOTIONS)) if statistics.histograms[index].any()]
    st.plotly_chart(
        charts.grey_values(statistics.histograms, present),
        config=CONFIG,
        key="grey_values",
        alt="Share of pixels at each grey value, one line for each class",
    )
