"""The baseline: a few convolutions, as in a first course on the subject."""

from __future__ import annotations

from keras import KerasTensor, layers

from pipeline.training.architectures import blocks
from pipeline.training.config import TrainingConfig

_FILTERS = (32, 64, 128)
_UNITS = 128


def simple_cnn(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Three 3×3 convolutions with ReLU and max-pooling, then Dense 128."""
    settings = {"kernel_initializer": "he_normal", "kernel_regularizer": blocks.l2(config)}
    x = blocks.normalise(images)
    for filters in _FILTERS:
        filters = blocks.scaled(filters, config)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", **settings)(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(blocks.scaled(_UNITS, config), activation="relu", **settings)(x)
    return blocks.classify(x, config)
