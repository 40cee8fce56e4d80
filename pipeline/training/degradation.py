"""Making training images worse in the ways that cameras and video calls do.

FER-2013's crops are clean and of one size; faces from a webcam are blurred,
compressed, noisy, or larger versions of a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_BLUR = (0.4, 1.6)
"""Standard deviation of a Gaussian, as pixels of a side of 48."""
_JPEG_QUALITY = (15, 60)
_LOW_RESOLUTION = (0.35, 0.8)
"""Share of the side that is left of it."""
_NOISE = (3.0, 14.0)
"""Standard deviation, grey values."""


def degrade(images: Image, probability: float, rng: np.random.Generator) -> Image:
    """Degrades some of the images, each in one way and by a random strength.

    The ways are blur, JPEG compression, low resolution and sensor noise, equally
    often.

    Args:
        images: `uint8` grey in `[0, 255]`, shape `(n, size, size, 1)`; not changed.
        probability: That an image is degraded, in `[0, 1]`.
        rng: Source of randomness.

    Returns:
        Images of the same shape and dtype.
    """
    result = images.copy()
    for index in np.flatnonzero(rng.random(len(images)) < probability):
        way = _WAYS[rng.integers(len(_WAYS))]
        result[index, :, :, 0] = way(images[index, :, :, 0], rng)
    return result


def _blur(image: Image, rng: np.random.Generator) -> Image:
    sigma = rng.uniform(*_BLUR) * len(image) / 48
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _compress(image: Image, rng: np.random.Generator) -> Image:
    quality = int(rng.integers(*_JPEG_QUALITY))
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _shrink(image: Image, rng: np.random.Generator) -> Image:
    size = len(image)
    small = max(8, round(size * rng.uniform(*_LOW_RESOLUTION)))
    less = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(less, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def _add_noise(image: Image, rng: np.random.Generator) -> Image:
    noise = rng.normal(0.0, rng.uniform(*_NOISE), image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


_WAYS: tuple[Callable[[Image, np.random.Generator], Image], ...] = (
    _blur,
    _compress,
    _shrink,
    _add_noise,
)
