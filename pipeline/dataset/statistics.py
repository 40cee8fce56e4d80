"""What the faces of each class look like together: their mean, spread and grey values."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.dataset.quality import GREY_LEVELS
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress

Float = npt.NDArray[np.float32]

_IMAGES_AT_ONCE = 2048


@dataclass(frozen=True)
class ClassStatistics:
    """The pixels of each class, all splits together; a class with no image has zeros.

    Attributes:
        means: The mean face, grey in `[0, 255]`, shape `(7, height, width)`.
        deviations: The standard deviation of each pixel, the same shape.
        histograms: Pixels of each grey value, `int64`, shape `(7, 256)`.
    """

    means: Float
    deviations: Float
    histograms: npt.NDArray[np.int64]


def class_statistics(dataset: Dataset, *, progress: Progress = no_progress) -> ClassStatistics:
    """Averages the images of each class.

    Args:
        dataset: Any dataset; its images are read once, a part at a time.
        progress: Counts images.
    """
    images, labels = dataset.images, np.asarray(dataset.labels)
    sums = np.zeros((NUM_EMOTIONS, *images.shape[1:]))
    squares = np.zeros_like(sums)
    histograms = np.zeros((NUM_EMOTIONS, GREY_LEVELS), np.int64)
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        progress(start, len(images), "averaging faces")
        batch = np.asarray(images[start : start + _IMAGES_AT_ONCE])
        batch_labels = labels[start : start + _IMAGES_AT_ONCE]
        for label in np.unique(batch_labels):
            part = batch[batch_labels == label]
            grey = part.astype(np.float32)
            sums[label] += grey.sum(axis=0, dtype=np.float64)
            squares[label] += np.square(grey, out=grey).sum(axis=0, dtype=np.float64)
            counts = cv2.calcHist([part.reshape(-1, 1)], [0], None, [GREY_LEVELS], [0, GREY_LEVELS])
            histograms[label] += counts[:, 0].astype(np.int64)
    numbers = np.maximum(np.bincount(labels, minlength=NUM_EMOTIONS), 1)[:, None, None]
    means = sums / numbers
    # Rounding may take the variance of equal pixels a little below zero.
    variances = np.maximum(squares / numbers - np.square(means), 0)
    return ClassStatistics(
        means.astype(np.float32), np.sqrt(variances).astype(np.float32), histograms
    )
