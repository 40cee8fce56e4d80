"""Maps of images by any features, and the folder that keeps them.

data/.inspections/<name>.maps/ holds the maps of a dataset. They are told from
the data and a model alone, so they may be deleted at any time.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.dataset.embedding import Float, ImageMap, Indices
from pipeline.dataset.store import maps_path
from pipeline.errors import DatasetError
from pipeline.files import read_arrays, write_arrays
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress, part_of

MOST_IMAGES = 50_000
"""A larger dataset is mapped by a sample: t-SNE's time grows with the number of images."""

LEAST_IMAGES = 12
"""Fewer have too few neighbours for t-SNE."""

PERPLEXITY = 30
# openTSNE's own defaults.
_EARLY_STEPS, _STEPS = 250, 500
_STEPS_AT_ONCE = 5
_COMPONENTS = 50
_SEED = 0
# Rises whenever what is kept, or how it is computed, changes.
_FORMAT = 1


class Method(StrEnum):
    """How features become a map."""

    PCA = "pca"
    TSNE = "tsne"


class ReadFeatures(Protocol):
    """Gives the features of images, such as `pixel_features` or `ModelEmbedding.features`."""

    def __call__(
        self, images: npt.NDArray[np.uint8], /, *, progress: Progress = no_progress
    ) -> Float:
        """Takes images of shape `(n, height, width)`; returns `(n, d)`."""
        ...


def make_map(
    dataset: Dataset, read: ReadFeatures, method: Method, *, progress: Progress = no_progress
) -> ImageMap:
    """Maps a dataset by the features of its images.

    Args:
        dataset: Any dataset; of more than `MOST_IMAGES` images a sample, drawn
            from each class of each split in proportion.
        read: Gives the features.
        method: Principal components, or t-SNE of the first 50 of them.
        progress: Told the share that is done.

    Raises:
        DatasetError: If there are too few images for t-SNE.
    """
    if method is Method.TSNE and len(dataset) < LEAST_IMAGES:
        raise DatasetError(
            f"t-SNE needs {LEAST_IMAGES} images or more, and {dataset.name!r} has {len(dataset)}: "
            "map it by its principal components"
        )
    images = stratified_sample(dataset, MOST_IMAGES)
    faces = dataset.images if len(images) == len(dataset) else dataset.images[images]
    # The shares of time, as measured on FER-2013.
    read_by = 0.9 if method is Method.PCA else 0.2
    features = read(faces, progress=part_of(progress, 0, read_by))
    progress(read_by, 1, "finding the axes of the map")
    components, explained = _principal_components(features, _COMPONENTS)
    del features
    if method is Method.PCA:
        progress(1, 1)
        return ImageMap(images, components[:, :2].copy(), explained[:2])
    points = _tsne(components, progress=part_of(progress, 0.25, 1))
    return ImageMap(images, points, np.empty(0, np.float32))


def stratified_sample(dataset: Dataset, number: int, among: Indices | None = None) -> Indices:
    """A random sample in which each class of each split has its share.

    Args:
        dataset: Where from.
        number: How many are wanted; a small group keeps one at least, so there
            may be a few more or fewer.
        among: Indices of the images to draw from, ascending; `None` for all.

    Returns:
        Indices, ascending; all of them if there are no more than wanted.
    """
    among = np.arange(len(dataset)) if among is None else among
    if len(among) <= number:
        return among
    rng = np.random.default_rng(_SEED)
    codes = dataset.split_codes[among].astype(np.intp) * NUM_EMOTIONS + dataset.labels[among]
    chosen = []
    for code in np.unique(codes):
        members = among[codes == code]
        share = max(1, round(number * len(members) / len(among)))
        chosen.append(rng.choice(members, share, replace=False))
    return np.sort(np.concatenate(chosen))


def read_map(path: Path) -> ImageMap | None:
    """A map that a `MapStore` kept; `None` if it is not there, or damaged."""
    arrays = read_arrays(path)
    return None if arrays is None else ImageMap(**arrays)


class MapStore:
    """The maps of a dataset on disk.

    Args:
        dataset: Whose; after another import under its name, none of the old
            maps are found.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._folder = maps_path(dataset.folder.parent, dataset.name)
        self._data = dataset.meta.fingerprint[:16]

    def path(self, features: str, method: Method) -> Path:
        """Where a map is kept, there or not.

        Args:
            features: What is mapped: `pixels`, or the fingerprint of a model.
            method: How.
        """
        return self._folder / f"{self._data}-{features[:16]}-{method.value}-{_FORMAT}.npz"

    def save(self, features: str, method: Method, found: ImageMap) -> None:
        """Keeps a map, and forgets those of data that the dataset no longer holds."""
        write_arrays(
            self.path(features, method),
            {"images": found.images, "points": found.points, "explained": found.explained},
        )
        for path in self._folder.glob("*.npz"):
            if not path.name.startswith(self._data):
                path.unlink(missing_ok=True)


def _principal_components(features: Float, number: int) -> tuple[Float, Float]:
    """The first components, shape `(n, number)` at most, and their shares of the variance."""
    # Here, not above: it takes a second, and pages that only load maps need none of it.
    from sklearn.decomposition import PCA

    if not np.ptp(features, axis=0).any():  # all alike: there is no direction to speak of
        return np.zeros((len(features), 2), np.float32), np.zeros(2, np.float32)
    model = PCA(min(number, *features.shape), random_state=_SEED)
    found = model.fit_transform(features)
    return found.astype(np.float32), model.explained_variance_ratio_.astype(np.float32)


def _tsne(components: Float, *, progress: Progress) -> Float:
    """t-SNE as Kobak and Berens 2019 (doi:10.1038/s41467-019-13056-x) advise it.

    It begins with the principal components, so that what lies far apart means
    something too, and learns at a rate of n / 12. Beyond 10,000 images the
    repulsion is interpolated (FIt-SNE, Linderman et al. 2019,
    doi:10.1038/s41592-018-0308-4).
    """
    import openTSNE

    if not components.any():
        return np.zeros((len(components), 2), np.float32)
    progress(0, 1, "finding the neighbours of each image")
    steps = 0

    def tell(step: int, error: float, embedding: Any) -> None:
        # Whoever cancels raises through the optimisation.
        nonlocal steps
        steps += _STEPS_AT_ONCE
        progress(0.15 + 0.85 * steps / (_EARLY_STEPS + _STEPS), 1, "placing images on the map")

    model = openTSNE.TSNE(
        perplexity=min(PERPLEXITY, (len(components) - 1) / 3),
        early_exaggeration_iter=_EARLY_STEPS,
        n_iter=_STEPS,
        initialization="pca",
        n_jobs=os.cpu_count() or 1,
        callbacks=tell,
        callbacks_every_iters=_STEPS_AT_ONCE,
        random_state=_SEED,
    )
    return np.asarray(model.fit(components), np.float32)
