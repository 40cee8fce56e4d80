"""Sample faces of a dataset, chosen and laid out for display."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.labels import NUM_EMOTIONS


def sample_faces(
    dataset: Dataset, per_class: int, seed: int = 0
) -> tuple[npt.NDArray[np.uint8], ...]:
    """A few faces of each class, drawn at random from all splits.

    Args:
        dataset: Where from.
        per_class: How many of each class, at most.
        seed: Makes the choice repeatable.

    Returns:
        For each class in `labels.EMOTIONS` order, `uint8` grey faces of shape
        `(k, height, width)`, where `k` may be 0.
    """
    generator = np.random.default_rng(seed)
    labels = np.asarray(dataset.labels)
    chosen = []
    for label in range(NUM_EMOTIONS):
        candidates = np.flatnonzero(labels == label)
        number = min(per_class, len(candidates))
        indices = np.sort(generator.choice(candidates, number, replace=False))
        chosen.append(np.array(dataset.images[indices]))
    return tuple(chosen)


def montage(faces: npt.NDArray[np.uint8], columns: int) -> npt.NDArray[np.uint8]:
    """Lays faces out row by row in one image.

    Args:
        faces: `uint8` grey, shape `(k, height, width)`, with `k` above 0.
        columns: How many stand in a row.

    Returns:
        `uint8` grey, shape `(rows * height, columns * width)`; places without a
        face are mid-grey.
    """
    number, height, width = faces.shape
    rows = -(-number // columns)
    sheet = np.full((rows * columns, height, width), 128, np.uint8)
    sheet[:number] = faces
    return np.ascontiguousarray(
        sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, -1)
    )


def png_url(picture: npt.NDArray[np.uint8]) -> str:
    """A grey picture as a `data:` address, without loss."""
    file = cv2.imencode(".png", picture)[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(file).decode("ascii")
