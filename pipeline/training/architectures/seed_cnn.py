"""The seed network: the recipe that the project grew from, and its default."""

from __future__ import annotations

from keras import KerasTensor, layers

from pipeline.training.architectures import blocks
from pipeline.training.config import TrainingConfig

_FILTERS = (32, 64, 128, 256)
_UNITS = 512


def seed_cnn(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Four blocks of two 3×3 convolutions, each pooled and dropped out; Dense 512."""
    x = blocks.normalise(images)
    for filters in _FILTERS:
        for _ in range(2):
            x = blocks.conv_bn_relu(x, blocks.scaled(filters, config), config)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(config.dropout / 2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(
        blocks.scaled(_UNITS, config),
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=blocks.l2(config),
    )(x)
    x = layers.ReLU()(blocks.batch_norm(x))
    return blocks.classify(x, config)
