"""Where a classifier looks: what hiding a part of the face does to its answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ConfigError, ImageFormatError
from pipeline.recognition.classifier import EmotionClassifier

PATCH = 12
"""Side of the hidden square in pixels: about an eye with its brow, or half a mouth."""

STRIDE = 6
"""Pixels from one place of the square to the next: 81 places on a 48×48 face."""


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """What each part of a face did for one emotion's probability.

    Attributes:
        label: The emotion, index into `labels.EMOTIONS`.
        drops: By how much the probability fell when the surroundings of a pixel
            were hidden, in `[-1, 1]`, `float32`, same shape as the crop. Above 0
            the place spoke for the emotion, below 0 against it.
    """

    label: int
    drops: npt.NDArray[np.float32]


def occlusion_map(
    classifier: EmotionClassifier,
    crop: npt.NDArray[np.uint8],
    *,
    label: int | None = None,
    patch: int = PATCH,
    stride: int = STRIDE,
) -> OcclusionMap:
    """Hides one square of a face after the other and watches the probability.

    Occlusion sensitivity (Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2):
    it asks nothing of the network but scores, so it holds for every model. The
    hidden square gets the crop's mean grey. A pixel's value is the mean over all
    squares that hid it.

    Args:
        classifier: The model to be explained.
        crop: `uint8` grey, shape `(height, width)`: what the model was given.
        label: The emotion, index into `labels.EMOTIONS`; `None` takes the most
            probable one.
        patch: Side of the square in pixels.
        stride: Pixels between its places, at most `patch`.

    Raises:
        ImageFormatError: If `crop` has another dtype or shape.
        ConfigError: If patch or stride are out of range.
    """
    if crop.dtype != np.uint8 or crop.ndim != 2:
        raise ImageFormatError(
            f"expected a uint8 grey face of shape (height, width), got {crop.dtype} of shape "
            f"{crop.shape}"
        )
    if not 1 <= stride <= patch <= min(crop.shape):
        raise ConfigError(
            f"expected 1 <= stride <= patch <= {min(crop.shape)}, got stride {stride} and patch "
            f"{patch}"
        )
    masks = _masks(crop.shape[0], crop.shape[1], patch, stride)
    grey = np.uint8(round(float(crop.mean())))
    faces = np.concatenate([crop[None], np.where(masks, grey, crop)])
    probabilities = classifier.scores(faces).probabilities
    if label is None:
        label = int(probabilities[0].argmax())
    drops = probabilities[0, label] - probabilities[1:, label]
    total = np.tensordot(drops, masks.astype(np.float32), axes=1)
    return OcclusionMap(label, (total / masks.sum(axis=0)).astype(np.float32))


def _masks(height: int, width: int, patch: int, stride: int) -> npt.NDArray[np.bool_]:
    """The pixels that each place hides, shape `(num_places, height, width)`.

    Squares reach over the edges, so that every pixel is hidden about as often.
    """
    rows = _bands(height, patch, stride)
    columns = _bands(width, patch, stride)
    places = rows[:, None, :, None] & columns[None, :, None, :]
    return places.reshape(-1, height, width)


def _bands(length: int, patch: int, stride: int) -> npt.NDArray[np.bool_]:
    """The pixels along one axis that each place hides, shape `(num_places, length)`."""
    first = stride - patch
    starts = np.arange(first, length, stride)[:, None]
    pixels = np.arange(length)[None]
    return (pixels >= starts) & (pixels < starts + patch)
