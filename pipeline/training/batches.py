"""The training images as Keras wants them: shuffled, augmented batches."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from pipeline.training.augmentation import augment
from pipeline.training.config import TrainingConfig
from pipeline.training.mixing import blend

Float = npt.NDArray[np.float32]
Batch = tuple[Float, Float, Float]


class TrainingBatches(keras.utils.PyDataset):
    """One epoch of augmented batches, the same for every backend of Keras.

    All randomness comes from `(seed, epoch, batch)`, so an epoch can be repeated
    exactly, also after a restart and whatever thread makes a batch.

    Args:
        images: `uint8` in `[0, 255]`, shape `(n, size, size, 1)`.
        targets: Class probabilities, `float32`, shape `(n, 7)`.
        class_weights: `float32`, shape `(7,)`.
        config: Batch size, augmentation and seed.
        epoch: The epoch to make, from 0.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        targets: Float,
        class_weights: Float,
        config: TrainingConfig,
        epoch: int,
    ) -> None:
        super().__init__()
        self._images = images
        self._targets = targets
        self._class_weights = class_weights
        self._config = config
        self._epoch = epoch
        self._order = np.random.default_rng((config.seed, epoch)).permutation(len(images))

    def __len__(self) -> int:
        return num_batches(len(self._images), self._config.batch_size)

    def __getitem__(self, index: int) -> Batch:
        size = self._config.batch_size
        chosen = self._order[index * size : (index + 1) * size]
        rng = np.random.default_rng((self._config.seed, self._epoch, index))
        images = augment(self._images[chosen], self._config, rng)
        images, targets = blend(images, self._targets[chosen], self._config, rng)
        return images, targets, targets @ self._class_weights


def num_batches(num_images: int, batch_size: int) -> int:
    """Batches in an epoch; the last may be smaller, but never a single image.

    Batch normalisation has nothing to normalise over in a batch of one.
    """
    full, rest = divmod(num_images, batch_size)
    return full + (rest > 1) or 1
