"""The demo dataset: drawn faces in three splits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.dataset import SPLITS, Dataset, DatasetStore, Split
from pipeline.dataset.synthetic.face import draw_face
from pipeline.errors import DatasetError
from pipeline.labels import NAMES, NUM_EMOTIONS
from pipeline.progress import Progress, no_progress

# One of each class in each split.
MIN_IMAGES = NUM_EMOTIONS * len(SPLITS)

_DEMO = "demo"
_HELD_OUT = 0.1
_IMAGES_AT_ONCE = 50


def build_demo(
    store: DatasetStore,
    name: str = _DEMO,
    *,
    num_images: int = 1400,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Dataset:
    """Draws a dataset of cartoon faces, so that there is something to work with.

    The classes are equally frequent; a tenth of each is for validation and a
    tenth for testing.

    Args:
        store: Where to put it.
        name: Under which name; a dataset of that name is replaced.
        num_images: At least 21.
        seed: The same seed draws the same faces.
        progress: Told how many images are drawn.

    Returns:
        The dataset; its description says that it is synthetic.

    Raises:
        DatasetError: If there are too few images to go round.
    """
    if num_images < MIN_IMAGES:
        raise DatasetError(f"a demo dataset needs {MIN_IMAGES} images or more, got {num_images}")
    rng = np.random.default_rng(seed)
    labels, splits = _plan(num_images, rng)
    with store.writer(name) as writer:
        for start in range(0, num_images, _IMAGES_AT_ONCE):
            progress(start, num_images, "drawing faces")
            batch = slice(start, start + _IMAGES_AT_ONCE)
            faces = np.stack([draw_face(NAMES[label], rng) for label in labels[batch]])
            origins = [f"drawn face {start + i} of seed {seed}" for i in range(len(faces))]
            writer.append(faces, labels[batch], splits[batch], origins)
        progress(num_images, num_images, "drawing faces")
        writer.finish(
            title="Synthetic demo faces",
            source=f"drawn by FER Lab, seed {seed}",
            kind="synthetic",
            synthetic=True,
            notes=("These faces are drawn, not photographed: scores on them mean nothing.",),
        )
    return store.open(name)


def open_or_demo(
    store: DatasetStore, name: str = "fer2013", *, progress: Progress = no_progress
) -> Dataset:
    """Opens a dataset; the demo dataset, drawn if need be, where it was never imported.

    Args:
        store: Where it is sought, and the demo is put.
        name: Of the dataset.
        progress: Told how many images are drawn.

    Raises:
        DatasetError: If it is there, but damaged.
    """
    names = store.names()
    for known in (name, _DEMO):
        if known in names:
            return store.open(known)
    return build_demo(store, _DEMO, progress=progress)


def _plan(
    num_images: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Labels and split codes, split by split, the classes of each mixed."""
    labels = np.arange(num_images) % NUM_EMOTIONS
    turn = np.arange(num_images) // NUM_EMOTIONS
    held_out = max(1, round(_HELD_OUT * num_images / NUM_EMOTIONS))
    splits = np.select(
        [turn < held_out, turn < 2 * held_out],
        [SPLITS.index(Split.VALIDATION), SPLITS.index(Split.TEST)],
        SPLITS.index(Split.TRAIN),
    )
    order = rng.permutation(num_images)
    order = order[np.argsort(splits[order], kind="stable")]
    return labels[order].astype(np.uint8), splits[order].astype(np.uint8)
