"""One image at large: all that is known of it, its copies, what looks like it, edits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import streamlit as st

from app import plain_html, resources, views
from app.charts import CONFIG
from app.dataset_page import charts, gallery, grid
from app.dataset_page.desk import Desk, change, open_desk, trouble
from app.dataset_page.gallery import Indices
from app.dataset_page.grid import Pages
from app.dataset_page.walk import Walk
from pipeline.dataset import ferplus, overlay
from pipeline.dataset.embedding import nearest
from pipeline.labels import EMOTIONS, label_index

_WALK = Walk("detail")
_SUGGESTED = "detail_suggested"
_WANTED = "detail_wanted"
_LARGE = 384
_NUM_NEIGHBOURS = 12


def show(
    desk: Desk,
    index: int,
    among: Indices,
    pages: Pages | None = None,
    *,
    suggested: Mapping[int, int] | None = None,
) -> None:
    """Opens the large view of an image.

    Args:
        desk: The dataset.
        index: The image.
        among: The list that it is part of, to go on from image to image.
        pages: Where the list is shown, unless that goes by other things than images.
        suggested: Labels to offer, by image.
    """
    st.session_state[_SUGGESTED] = suggested or {}
    _WALK.start(index, among, pages)
    _dialog(desk.dataset.name)


def last() -> int | None:
    """The image of a list that was at large last."""
    return _WALK.last


def open_by_index(desk: Desk, among: Indices, pages: Pages) -> None:
    """The search by index.

    Args:
        desk: The dataset.
        among: The list that is shown, in which the large view goes on.
        pages: The grid that the list is shown in.
    """
    if (st.session_state.get(_WANTED) or 0) >= len(desk.dataset):
        st.session_state[_WANTED] = None  # it was of the dataset that was active before
    index = st.number_input(
        "Image by index",
        0,
        len(desk.dataset) - 1,
        value=None,
        placeholder="Index",
        key=_WANTED,
        width=150,
    )
    if st.button("Open", key="detail_open", disabled=index is None) and index is not None:
        show(desk, index, among, pages)


# Outside, what was edited shows once the large view is closed.
@st.dialog("Image", width="large", icon=":material/photo:", on_dismiss=_WALK.close)
def _dialog(name: str) -> None:
    with views.guarded():
        desk = open_desk(name)
        index = min(_WALK.index or 0, len(desk.dataset) - 1)
        trouble()
        _WALK.steps(index)
        left, right = st.columns([2, 3], gap="medium")
        with left:
            picture(desk, index)
            edits(desk, index, suggested=st.session_state[_SUGGESTED].get(index))
        with right:
            _facts(desk, index)
        _copies(desk, index)
        _neighbours(desk, index)


def picture(desk: Desk, index: int) -> None:
    """An image, enlarged pixel by pixel."""
    pixels = np.asarray(desk.dataset.images[index])
    height = round(_LARGE * pixels.shape[0] / pixels.shape[1])
    st.image(
        cv2.resize(pixels, (_LARGE, height), interpolation=cv2.INTER_NEAREST),
        width="stretch",
        alt=f"Image {index} labelled {EMOTIONS[int(desk.dataset.labels[index])].name}",
    )


def _facts(desk: Desk, index: int) -> None:
    st.html(plain_html.facts(gallery.facts(desk.dataset, desk.found, index)))
    votes(desk, index)


def votes(desk: Desk, index: int) -> None:
    """The FER+ votes for an image as bars, where there are any."""
    if desk.dataset.votes is not None:
        cast = desk.dataset.votes[index]
        st.plotly_chart(
            charts.votes(list(ferplus.COLUMNS), cast.tolist(), vote_colors()),
            config=CONFIG,
            key="detail_votes",
            alt=f"FER+ votes: {gallery.vote_words(cast)}",
        )


def vote_colors() -> list[str]:
    """The colours of FER+'s columns; grey for those that are no emotion of ours."""
    shared = len(EMOTIONS)
    names = ferplus.COLUMNS[:shared]
    return [EMOTIONS[label_index(name)].color for name in names] + [
        "#B4B8C5" for _ in ferplus.COLUMNS[shared:]
    ]


def edits(desk: Desk, index: int, *, suggested: int | None = None) -> None:
    """What edits do to an image, and the buttons for more of them.

    Args:
        desk: The dataset.
        index: The image.
        suggested: The label to offer until it has got another, if any.
    """
    label = desk.overlay.relabelled.get(index)
    if index in desk.overlay.excluded:
        st.warning("Excluded by an edit", icon=":material/block:")
    if label is not None:
        st.info(f"Relabelled as {EMOTIONS[label].title}", icon=":material/label:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if index not in desk.overlay.excluded:
            st.button(
                "Exclude",
                key="detail_exclude",
                icon=":material/block:",
                shortcut="X",
                on_click=change,
                args=(overlay.exclude([index]),),
            )
        if index in desk.overlay.excluded or label is not None:
            st.button(
                "Restore",
                key="detail_restore",
                icon=":material/undo:",
                shortcut="U",
                on_click=change,
                args=(overlay.restore([index]),),
            )
        now = int(desk.dataset.labels[index]) if label is None else label
        wanted = st.selectbox(
            "New label",
            range(len(EMOTIONS)),
            index=now if label is not None or suggested is None else suggested,
            format_func=lambda code: EMOTIONS[code].title,
            key=f"detail_label_{index}_{now}",
            width=130,
        )
        # Its own label again is no other label: the edit is taken back, and its votes count again.
        is_own = wanted == int(desk.dataset.labels[index]) and index not in desk.overlay.excluded
        st.button(
            "Relabel",
            key="detail_relabel",
            icon=":material/label:",
            shortcut="L",
            disabled=wanted == now,
            on_click=change,
            args=(overlay.restore([index]) if is_own else overlay.relabel([index], wanted),),
        )
    st.caption("Edits are kept beside the dataset; the data themselves are never changed.")


def _copies(desk: Desk, index: int) -> None:
    if desk.found is None:
        return
    exact, near = gallery.copies_of(desk.found, index)
    for title, others, key in (
        ("Identical copies", exact, "detail_exact"),
        ("Near copies", near, "detail_near"),
    ):
        if len(others):
            views.heading(title, f" ({len(others)})", level=3)
            strip(desk, others[: 2 * _NUM_NEIGHBOURS], key, walk=_WALK)


def _neighbours(desk: Desk, index: int) -> None:
    stamp = (desk.dataset.meta.fingerprint, desk.dataset.meta.created)
    with st.spinner("Looking for similar images"):
        others, scores = _nearest(desk.dataset.name, stamp, index)
    if len(others):
        views.heading("Nearest by their pixels", ", with the correlation", level=3)
        notes = [f"{score:.2f}" for score in scores]
        strip(desk, others, "detail_nearest", notes, walk=_WALK)


def strip(
    desk: Desk,
    indices: Indices,
    key: str,
    notes: list[str] | None = None,
    *,
    walk: Walk,
) -> None:
    """Faces in a dialog, of which the chosen one is shown next.

    Args:
        desk: The dataset.
        indices: The faces, in order; one or more.
        key: Of the component.
        notes: A few words below each face, instead of its index.
        walk: That of the dialog.
    """
    sheet = gallery.sheet(desk.dataset, indices, desk.overlay, notes)
    chosen = grid.faces(sheet, key=key, cell=64)
    if chosen is not None:
        walk.go(chosen)
        st.rerun(scope="fragment")


@lru_cache(maxsize=128)
def _nearest(name: str, stamp: tuple[str, ...], index: int) -> tuple[Any, Any]:
    return nearest(resources.dataset(name), index, _NUM_NEIGHBOURS)
