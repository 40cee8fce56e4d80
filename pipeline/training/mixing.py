"""Blending training images and their targets, two at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.training.config import TrainingConfig

Float = npt.NDArray[np.float32]


def blend(
    images: Float, targets: Float, config: TrainingConfig, rng: np.random.Generator
) -> tuple[Float, Float]:
    """Mixup or CutMix, as the configuration says; with both, each batch gets one of them.

    Args:
        images: Shape `(n, size, size, 1)`.
        targets: Class probabilities, shape `(n, 7)`.
        config: Its fields `mixup` and `cutmix` are read.
        rng: Source of randomness.

    Returns:
        Images and targets of the same shapes.
    """
    if config.mixup and config.cutmix:
        chosen = (mixup, config.mixup) if rng.random() < 0.5 else (cutmix, config.cutmix)
    elif config.mixup:
        chosen = (mixup, config.mixup)
    elif config.cutmix:
        chosen = (cutmix, config.cutmix)
    else:
        return images, targets
    method, alpha = chosen
    return method(images, targets, alpha, rng)


def mixup(
    images: Float, targets: Float, alpha: float, rng: np.random.Generator
) -> tuple[Float, Float]:
    """Mixup: blends each image and its target with another of the batch.

    Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    Args:
        images: Shape `(n, size, size, 1)`.
        targets: Class probabilities, shape `(n, 7)`.
        alpha: Both parameters of the Beta distribution that shares are drawn from.
        rng: Source of randomness.

    Returns:
        Images and targets of the same shapes.
    """
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    other = rng.permutation(len(images))
    image_share, target_share = share[:, None, None, None], share[:, None]
    return (
        image_share * images + (1 - image_share) * images[other],
        target_share * targets + (1 - target_share) * targets[other],
    )


def cutmix(
    images: Float, targets: Float, alpha: float, rng: np.random.Generator
) -> tuple[Float, Float]:
    """CutMix: puts a rectangle of another image of the batch into each.

    Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features", ICCV 2019. Targets are mixed by the area that remains.

    Args:
        images: Shape `(n, size, size, 1)`.
        targets: Class probabilities, shape `(n, 7)`.
        alpha: Both parameters of the Beta distribution that shares are drawn from.
        rng: Source of randomness.

    Returns:
        Images and targets of the same shapes.
    """
    number, size = images.shape[:2]
    side = size * np.sqrt(1 - rng.beta(alpha, alpha, number))
    centre = rng.uniform(0, size, (number, 2))
    low = np.clip(np.rint(centre - side[:, None] / 2), 0, size)
    high = np.clip(np.rint(centre + side[:, None] / 2), 0, size)
    place = np.arange(size)
    rows, columns = (
        (place >= low[:, axis, None]) & (place < high[:, axis, None]) for axis in (0, 1)
    )
    inside = rows[:, :, None] & columns[:, None, :]
    other = rng.permutation(number)
    share = 1 - inside.mean(axis=(1, 2), dtype=np.float32)[:, None]
    return (
        np.where(inside[..., None], images[other], images),
        share * targets + (1 - share) * targets[other],
    )
