"""Map: images as points, near ones alike; a lasso opens them in the grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import resources, views
from app.charts import CONFIG
from app.dataset_page import charts, look
from app.dataset_page.desk import Desk, not_inspected
from app.dataset_page.gallery import Filters, select
from app.jobs import Work
from pipeline.dataset import DatasetStore
from pipeline.dataset.embedding import ImageMap, pixel_features
from pipeline.dataset.maps import (
    MOST_IMAGES,
    MapStore,
    Method,
    make_map,
    read_map,
    stratified_sample,
)
from pipeline.evaluation.predictions import fingerprint
from pipeline.progress import Progress
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import CONTRACT, MODEL_ONNX
from pipeline.recognition.embedding import ModelEmbedding

_KIND = "map"
_CONFIG = {**CONFIG, "displayModeBar": True, "scrollZoom": True}
_PIXELS, _MODEL = "Pixels", "Active model"
_METHODS = {Method.PCA: "PCA", Method.TSNE: "t-SNE"}
_ABOUT = {
    _PIXELS: "By the pixels at 24 × 24, each image brought to equal light and contrast. Pixels "
    "show pose and framing far more than expression, so the classes overlap.",
    _MODEL: "By what the network takes in before its last layer: what it cannot tell apart lies "
    "together. Images that it was trained on fall apart more cleanly than new ones do.",
}
_CAVEATS = {
    Method.PCA: "The two directions in which the images differ most.",
    Method.TSNE: "t-SNE keeps neighbours together; how large a cluster is and how far it lies "
    "from others says little.",
}

# Of FER-2013, as measured; for a model, with a network of a million parameters.
_TIMES = {
    (False, Method.TSNE): "two minutes",
    (True, Method.PCA): "half a minute",
    (True, Method.TSNE): "two to three minutes",
}


@dataclass(frozen=True)
class Kind:
    """Which map is wanted.

    Attributes:
        model: The model whose features are mapped; `None` for the pixels.
        method: How features become a map.
    """

    model: ModelEntry | None
    method: Method

    @property
    def title(self) -> str:
        """Words for it, as the rest of a sentence."""
        of = "the pixels" if self.model is None else f"what {self.model.name} sees"
        return f"{_METHODS[self.method]} of {of}"

    @property
    def features(self) -> str:
        """What `MapStore` calls its features.

        Raises:
            OSError: If the model cannot be read.
        """
        return _PIXELS.lower() if self.model is None else _fingerprint(self.model.folder)


def tab(desk: Desk) -> None:
    """The map, coloured by class."""
    with st.container(horizontal=True, vertical_alignment="top"):
        kind = _kind()
        filters = look.class_and_split("map")
    if kind is None:
        views.empty_state(
            "No model yet", "Train one; its view of the images can then be mapped here."
        )
        return
    if kind.model is not None and kind.model.contract().is_ensemble:
        views.empty_state(
            "An ensemble has no view of its own",
            "Each of its members has one: make a member the active model, on the page Evaluate.",
        )
        return
    if kind == Kind(None, Method.PCA):
        if desk.found is None:
            not_inspected(desk, "The places on the map")
            return
        found: ImageMap | None = desk.found.map
    else:
        path = MapStore(desk.dataset).path(kind.features, kind.method)
        found = _kept(path, _stamp(path)) if path.exists() else None
    if found is None:
        _not_computed(desk, kind)
    else:
        _draw(desk, kind, found, filters)


def map_work(store: DatasetStore, name: str, kind: Kind) -> Work:
    """The work of computing a map and keeping it."""

    def work(progress: Progress) -> str:
        dataset = store.open(name)
        features = kind.features
        read = pixel_features
        if kind.model is not None:
            read = ModelEmbedding.load(kind.model.folder).features
        found = make_map(dataset, read, kind.method, progress=progress)
        MapStore(dataset).save(features, kind.method, found)
        return f"The map of {len(found.images):,} images is ready."

    return work


def chosen_images(event: Any) -> np.ndarray:
    """The indices of the images in a selection on the map, ascending."""
    points = event["selection"]["points"]
    indices = [np.ravel(point["customdata"])[0] for point in points if "customdata" in point]
    return np.unique(np.array(indices, np.intp))


def _kind() -> Kind | None:
    """The map that is chosen; `None` if it is of a model and there is none."""
    of = st.segmented_control(
        "What is mapped",
        (_PIXELS, _MODEL),
        default=_PIXELS,
        required=True,
        key="map_of",
        persist_state="session",
    )
    method = st.segmented_control(
        "How",
        list(Method),
        default=Method.PCA,
        format_func=_METHODS.__getitem__,
        required=True,
        key="map_method",
        persist_state="session",
    )
    if of == _PIXELS:
        return Kind(None, Method(method))
    entry = resources.models().active()
    return None if entry is None else Kind(entry, Method(method))


def _not_computed(desk: Desk, kind: Kind) -> None:
    if resources.jobs().is_running(_KIND):
        views.under_way("A map is being computed")
        return
    number = min(len(desk.dataset), MOST_IMAGES)
    sample = "" if number == len(desk.dataset) else f" of {len(desk.dataset):,}"
    views.offer(
        "This map is not computed yet",
        f"{views.plain(kind.title)}, {number:,}{sample} images. For FER-2013 it takes about "
        f"{_TIMES[kind.model is not None, kind.method]} on two processor cores, is done in the "
        "background, and is kept.",
        "Compute the map",
        "scatter_plot",
        key="map_compute",
        on_click=_start,
        args=(desk.dataset.name, kind),
    )


def _start(name: str, kind: Kind) -> None:
    work = map_work(resources.datasets(), name, kind)
    resources.jobs().try_start(_KIND, f"Map of {name}: {kind.title}", work)


def _draw(desk: Desk, kind: Kind, found: ImageMap, filters: Filters) -> None:
    shown = select(desk.dataset, desk.found, desk.overlay, filters)
    shown = np.intersect1d(shown, found.images, assume_unique=True)
    drawn = stratified_sample(desk.dataset, MOST_IMAGES, shown)
    number = len(desk.dataset)
    if len(drawn) < len(shown) or len(found.images) < number:
        st.caption(
            f":material/info: {len(drawn):,} of {number:,} images are drawn: a random sample in "
            "which each class of each split has its share."
        )
    event = st.plotly_chart(
        charts.image_map(found, np.asarray(desk.dataset.labels), drawn),
        config=_CONFIG,
        key=f"map_{'pixels' if kind.model is None else 'model'}_{kind.method}",
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        alt="Images as points, coloured by their label; images that are alike are near",
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
    about = _ABOUT[_PIXELS if kind.model is None else _MODEL]
    st.caption(f"{about} {_CAVEATS[kind.method]}")


def _stamp(*paths: Path) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in paths)


def _fingerprint(folder: Path) -> str:
    return _read_fingerprint(folder, _stamp(folder / MODEL_ONNX, folder / CONTRACT))


@lru_cache(maxsize=8)
def _read_fingerprint(folder: Path, stamp: tuple[int, ...]) -> str:
    return fingerprint(folder)


@lru_cache(maxsize=4)
def _kept(path: Path, stamp: tuple[int, ...]) -> ImageMap | None:
    # A frozen value of arrays that nobody writes to: all sessions may share it.
    return read_map(path)
