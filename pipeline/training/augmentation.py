"""Random changes to training images that keep their expression.

Pure NumPy and OpenCV: the training, on whichever Keras backend, and the
dashboard's preview run this same code. At some 40,000 images/s a core
(`bench.augmentation`) it leaves the network as the bottleneck.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.training.config import TrainingConfig
from pipeline.training.degradation import degrade

Float = npt.NDArray[np.float32]

_ERASED_AREA = (0.02, 0.2)
_ERASED_ASPECT = (0.3, 1 / 0.3)


def augment(
    images: npt.NDArray[np.uint8], config: TrainingConfig, rng: np.random.Generator
) -> Float:
    """Varies a batch of images as the configuration says.

    Args:
        images: `uint8` grey in `[0, 255]`, shape `(n, size, size, 1)`.
        config: Its augmentation fields are read; mixup and CutMix, which blend
            images, are the part of `mixing`.
        rng: Equal generators give equal results.

    Returns:
        `float32` in `[0, 255]`, the same shape.
    """
    warped = _warp(images, config, rng)
    if config.degradation:
        warped = degrade(warped, config.degradation, rng)
    varied = warped.astype(np.float32)
    if config.contrast or config.brightness:
        _relight(varied, config, rng)
    if config.erasing:
        _erase(varied, config.erasing, rng)
    return varied


def _warp(
    images: npt.NDArray[np.uint8], config: TrainingConfig, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    if not (config.rotation or config.shift or config.zoom or config.flip):
        return images
    size = images.shape[1]
    warped = np.empty_like(images)
    for source, matrix, target in zip(
        images, _matrices(len(images), size, config, rng), warped, strict=True
    ):
        cv2.warpAffine(
            source,
            matrix,
            (size, size),
            dst=target,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return warped


def _matrices(
    num_images: int, size: int, config: TrainingConfig, rng: np.random.Generator
) -> Float:
    """Rotation, zoom, mirroring and shift about the centre, as one 2×3 matrix an image."""
    angle = np.deg2rad(rng.uniform(-config.rotation, config.rotation, num_images))
    scale = 1 / rng.uniform(1 - config.zoom, 1 + config.zoom, num_images)
    mirror = np.where(config.flip & (rng.random(num_images) < 0.5), -1.0, 1.0)
    reach = config.shift * size
    shift = rng.uniform(-reach, reach, (num_images, 2))
    centre = (size - 1) / 2
    linear = np.empty((num_images, 2, 2))
    linear[:, 0, 0] = np.cos(angle) * scale * mirror
    linear[:, 0, 1] = -np.sin(angle) * scale
    linear[:, 1, 0] = np.sin(angle) * scale * mirror
    linear[:, 1, 1] = np.cos(angle) * scale
    offset = centre + shift - linear @ np.full(2, centre)
    return np.concatenate([linear, offset[:, :, None]], axis=2).astype(np.float32)


def _relight(images: Float, config: TrainingConfig, rng: np.random.Generator) -> None:
    shape = (len(images), 1, 1, 1)
    gain = np.exp(rng.uniform(-config.contrast, config.contrast, shape)).astype(np.float32)
    lift = (255 * rng.uniform(-config.brightness, config.brightness, shape)).astype(np.float32)
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    images -= mean
    images *= gain
    images += mean + lift
    np.clip(images, 0, 255, out=images)


def _erase(images: Float, probability: float, rng: np.random.Generator) -> None:
    """Random erasing (Zhong et al., AAAI 2020) with noise, one rectangle an image."""
    size = images.shape[1]
    for index in np.flatnonzero(rng.random(len(images)) < probability):
        area = rng.uniform(*_ERASED_AREA) * size * size
        aspect = np.exp(rng.uniform(*np.log(_ERASED_ASPECT)))
        height = int(np.clip(round(np.sqrt(area * aspect)), 1, size))
        width = int(np.clip(round(np.sqrt(area / aspect)), 1, size))
        top = rng.integers(0, size - height + 1)
        left = rng.integers(0, size - width + 1)
        images[index, top : top + height, left : left + width] = rng.uniform(
            0, 255, (height, width, 1)
        )
