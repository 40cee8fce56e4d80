"""Which images are alike: a map of all, and the neighbours of one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.progress import Progress, no_progress

Float = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

MAP_SIDE = 24
_IMAGES_AT_ONCE = 4096


@dataclass(frozen=True)
class ImageMap:
    """Images as points; near points are alike.

    Attributes:
        images: Their indices, ascending, shape `(n,)`.
        points: Where each is, shape `(n, 2)`.
        explained: The share of the variance on each axis, shape `(2,)`; empty
            for a map whose axes mean nothing.
    """

    images: Indices
    points: Float
    explained: Float


def pixel_map(dataset: Dataset, *, progress: Progress = no_progress) -> ImageMap:
    """Principal component analysis of the pixels of all images; see `pixel_features`.

    The sign of an axis is set so that its largest pixel weight is positive, and
    equal data give an equal map.

    Args:
        dataset: Any dataset; its images are read twice, a part at a time.
        progress: Counts images.
    """
    number = len(dataset)
    total = np.zeros(MAP_SIDE**2)
    scatter = np.zeros((MAP_SIDE**2, MAP_SIDE**2))
    starts = range(0, number, _IMAGES_AT_ONCE)
    for start in starts:
        progress(start / 2, number, "finding the axes of the map")
        rows = _rows(dataset.images[start : start + _IMAGES_AT_ONCE])
        total += rows.sum(axis=0, dtype=np.float64)
        scatter += rows.T @ rows
    mean = total / number
    values, vectors = np.linalg.eigh(scatter / number - np.outer(mean, mean))
    axes = vectors[:, [-1, -2]]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)
    points = np.empty((number, 2), np.float32)
    for start in starts:
        progress((number + start) / 2, number, "placing images on the map")
        rows = _rows(dataset.images[start : start + _IMAGES_AT_ONCE])
        points[start : start + _IMAGES_AT_ONCE] = (rows - mean) @ axes
    whole = max(float(values.sum()), np.finfo(float).tiny)
    explained = (values[[-1, -2]] / whole).astype(np.float32)
    return ImageMap(np.arange(number), points, explained)


def pixel_features(images: npt.NDArray[np.uint8], *, progress: Progress = no_progress) -> Float:
    """The pixels of each image, freed of its light and contrast.

    Images are reduced to 24 pixels a side, and each is brought to mean 0 and
    length 1, so that light and contrast, which say nothing of the expression,
    do not make up most of the differences.

    Args:
        images: `uint8` grey in `[0, 255]`, shape `(n, height, width)`.
        progress: Counts images.

    Returns:
        `float32`, shape `(n, 576)`; a flat image has zeros.
    """
    rows = np.empty((len(images), MAP_SIDE**2), np.float32)
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        progress(start, len(images), "reading the pixels")
        rows[start : start + _IMAGES_AT_ONCE] = _rows(images[start : start + _IMAGES_AT_ONCE])
    return rows


def nearest(dataset: Dataset, index: int, number: int) -> tuple[Indices, Float]:
    """The images whose pixels correlate most with one image's.

    Args:
        dataset: Any dataset; all its images are read.
        index: The image.
        number: How many others are wanted, at most.

    Returns:
        Their indices, the most alike first, and their correlations in `[-1, 1]`;
        a flat image correlates with none (0).
    """
    sought = _unit(np.asarray(dataset.images[index : index + 1]))[0]
    scores = np.empty(len(dataset), np.float32)
    for start in range(0, len(dataset), _IMAGES_AT_ONCE):
        batch = np.asarray(dataset.images[start : start + _IMAGES_AT_ONCE])
        # What is sought has mean 0, so the mean of the others need not be taken off.
        rows = batch.reshape(len(batch), -1).astype(np.float32)
        squares = np.einsum("ij,ij->i", rows, rows)
        around_mean = squares - np.square(rows.sum(axis=1)) / rows.shape[1]
        products = rows @ sought
        scores[start : start + _IMAGES_AT_ONCE] = np.divide(
            products,
            np.sqrt(np.maximum(around_mean, 0)),
            out=np.zeros_like(products),
            # Rounding leaves a trace of variance in a flat image.
            where=around_mean > 1e-6 * squares,
        )
    scores[index] = -np.inf
    best = _highest(scores, min(number, len(scores) - 1))
    return best, np.clip(scores[best], -1, 1)


def nearest_features(features: Float, query: Float, number: int) -> tuple[Indices, Float]:
    """The rows of features that point most nearly the same way as another.

    Args:
        features: Such as `ModelEmbedding.features` gives, shape `(n, d)`; `n`
            may be 0.
        query: The features sought, shape `(d,)`; of the rows themselves, the one
            that they are of is found too.
        number: How many are wanted, at most.

    Returns:
        The numbers of the rows, the most alike first, and the cosines of the
        angles in `[-1, 1]`; to a row of zeros it is 0.
    """
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    products = features @ query
    scores = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    best = _highest(scores, min(number, len(scores)))
    return best, np.clip(scores[best], -1, 1)


def _highest(scores: Float, number: int) -> Indices:
    """The places of the highest scores, the highest first; of equal ones the first first."""
    if not number:
        return np.empty(0, np.intp)
    best = np.argpartition(-scores, number - 1)[:number]
    return best[np.lexsort((best, -scores[best]))]


def _rows(images: npt.NDArray[np.uint8]) -> Float:
    side = (MAP_SIDE, MAP_SIDE)
    small = [cv2.resize(image, side, interpolation=cv2.INTER_AREA) for image in images]
    return _unit(np.stack(small))


def _unit(images: npt.NDArray[np.uint8]) -> Float:
    """Each image as a row of mean 0 and length 1; a flat one as zeros."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-3)
