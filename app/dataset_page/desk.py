"""What all tabs of the dataset page work with: the data, what is known of them, the edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import resources, views
from app.jobs import Work
from app.messages import describe
from pipeline.dataset import SPLITS, Dataset, DatasetStore, inspection
from pipeline.dataset.inspection import Inspection
from pipeline.dataset.overlay import Edit, Overlay, OverlayStore
from pipeline.errors import PipelineError
from pipeline.labels import NAMES
from pipeline.progress import Progress

_KIND = "inspection"
_STARTED = "inspections_started"
_SEEN = "overlay_seen"
_TROUBLE = "overlay_trouble"


@dataclass(frozen=True)
class Desk:
    """The dataset on the page.

    Attributes:
        dataset: The active dataset.
        found: What its inspection found; `None` until it is done.
        overlay: Its edits as this run of the page sees them.
    """

    dataset: Dataset
    found: Inspection | None
    overlay: Overlay


def open_desk(name: str) -> Desk:
    """Opens a dataset, and starts its inspection if that is still to be done.

    Raises:
        DatasetError: If the dataset or its overlay cannot be read.
    """
    desk = load_desk(name)
    if desk.found is None:
        # By itself only once a session, so that whoever cancels it is not asked again.
        started: set[str] = st.session_state.setdefault(_STARTED, set())
        if desk.dataset.meta.fingerprint not in started and _start(name):
            started.add(desk.dataset.meta.fingerprint)
            # The strip of jobs above the page was drawn before there was this one.
            st.rerun()
    return desk


def load_desk(name: str) -> Desk:
    """Opens a dataset with what is known of it; edits made by `change` are then of this one.

    Raises:
        DatasetError: If the dataset or its overlay cannot be read.
    """
    dataset = resources.dataset(name)
    overlay = OverlayStore(resources.home().data).load(dataset)
    st.session_state[_SEEN] = (name, overlay.version)
    return Desk(dataset, _inspection(dataset), overlay)


def inspection_work(store: DatasetStore, name: str) -> Work:
    """The work of inspecting a dataset."""

    def work(progress: Progress) -> str:
        dataset = store.open(name)
        inspection.run(dataset, progress=progress)
        return f"Copies, faults and the map of {len(dataset):,} images are ready."

    return work


def not_inspected(desk: Desk, what: str) -> None:
    """Says that something is not known yet, and offers to find out.

    Args:
        desk: The dataset on the page.
        what: What is missing, as the subject of a sentence in the plural.
    """
    if resources.jobs().is_running(_KIND):
        views.under_way("The images are being inspected")
        return
    views.offer(
        f"{what} are not known yet",
        "They come from an inspection of all images, which takes about six seconds for FER-2013 "
        "and is done once; it is kept beside the dataset.",
        "Inspect the images",
        "search",
        key="inspect",
        on_click=_start,
        args=(desk.dataset.name,),
    )


def change(edit: Edit) -> None:
    """Makes an edit of the active dataset; a callback.

    It is based on the version that this tab shows, so that an edit from another
    tab in between is noticed and not built upon unseen.
    """
    name, version = st.session_state[_SEEN]
    try:
        dataset = resources.dataset(name)
        OverlayStore(resources.home().data).add(dataset, edit, based_on=version)
    except PipelineError as error:
        # A callback has no place on the page: `trouble` shows it there.
        st.session_state[_TROUBLE] = describe(error)


def trouble() -> None:
    """Says what became of the last edit, if it could not be made."""
    message = st.session_state.pop(_TROUBLE, None)
    if message:
        st.error(views.plain(message), icon=":material/error:")


def image_table(desk: Desk, indices: Iterable[int]) -> pd.DataFrame:
    """Images as a table, a row each, ready to be exported."""
    dataset, rows = desk.dataset, []
    measures = desk.found.quality.measures if desk.found else None
    for index in indices:
        row: dict[str, Any] = {
            "index": int(index),
            "label": NAMES[int(dataset.labels[index])],
            "split": SPLITS[int(dataset.split_codes[index])].value,
            "origin": dataset.origin(int(index)),
        }
        if measures is not None:
            row["brightness"] = round(float(measures.brightness[index]), 1)
            row["sharpness"] = round(float(measures.sharpness[index]), 3)
        rows.append(row)
    return pd.DataFrame(rows)


def _start(name: str) -> bool:
    work = inspection_work(resources.datasets(), name)
    return resources.jobs().try_start(_KIND, f"Inspection of {name}", work)


def _inspection(dataset: Dataset) -> Inspection | None:
    path = inspection.cache_path(dataset)
    try:
        status = path.stat()
    except OSError:
        return None
    stamp = (status.st_mtime_ns, dataset.meta.fingerprint, dataset.meta.votes_source)
    return _loaded(dataset.folder, stamp)


@lru_cache(maxsize=4)
def _loaded(folder: Path, stamp: tuple[Any, ...]) -> Inspection | None:
    # A frozen value of arrays that nobody writes to: all sessions may share it.
    return inspection.load(DatasetStore(folder.parent).open(folder.name))
