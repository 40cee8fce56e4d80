"""Making training images worse in the ways that cameras and video calls do.

FER-2013's crops are clean and of one size; faces from a webcam are blurred,
compressed, noisy, or larger versions of a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline import camera

Image = npt.NDArray[np.uint8]

_BLUR = (0.4, 1.6)
_JPEG_QUALITY = (15, 60)
_LOW_RESOLUTION = (0.35, 0.8)
_NOISE = (3.0, 14.0)


def degrade(images: Image, probability: float, rng: np.random.Generator) -> Image:
    """Degrades some of the images, each in one way and by a random strength.

    The ways are blur, JPEG compression, low resolution and sensor noise, equally
    often; see `pipeline.camera`.

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


_WAYS: tuple[Callable[[Image, np.random.Generator], Image], ...] = (
    lambda image, rng: camera.blurred(image, rng.uniform(*_BLUR)),
    lambda image, rng: camera.compressed(image, int(rng.integers(*_JPEG_QUALITY))),
    lambda image, rng: camera.coarse(image, rng.uniform(*_LOW_RESOLUTION)),
    lambda image, rng: camera.noisy(image, rng.uniform(*_NOISE), rng),
)
