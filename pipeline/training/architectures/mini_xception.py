"""mini-Xception: depthwise separable residual modules, no dense layer.

Arriaga, Valdenegro-Toro and Plöger 2017, "Real-time Convolutional Neural Networks
for Emotion and Gender Classification", arXiv:1710.07557. The first two convolutions
are padded here, so that the border of a tight crop counts.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from pipeline.labels import NUM_EMOTIONS
from pipeline.training.architectures import blocks
from pipeline.training.config import TrainingConfig

_STEM_FILTERS = 8
_MODULE_FILTERS = (16, 32, 64, 128)


def mini_xception(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Two 3×3 convolutions, four separable modules, one map an emotion, pooled."""
    x = blocks.normalise(images)
    for _ in range(2):
        x = blocks.conv_bn_relu(x, blocks.scaled(_STEM_FILTERS, config), config)
    for filters in _MODULE_FILTERS:
        x = _module(x, blocks.scaled(filters, config), config)
    x = layers.Dropout(config.dropout)(x)
    x = layers.Conv2D(NUM_EMOTIONS, 3, padding="same", kernel_regularizer=blocks.l2(config))(x)
    x = layers.GlobalAveragePooling2D(dtype="float32")(x)
    return layers.Activation("softmax", dtype="float32", name="scores")(x)


def _module(x: KerasTensor, filters: int, config: TrainingConfig) -> KerasTensor:
    shortcut = blocks.halving_shortcut(x, filters, config)
    x = layers.ReLU()(blocks.batch_norm(_separable_conv(x, filters, config)))
    x = blocks.batch_norm(_separable_conv(x, filters, config))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return layers.Add()([shortcut, x])


def _separable_conv(x: KerasTensor, filters: int, config: TrainingConfig) -> KerasTensor:
    return layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
        depthwise_regularizer=blocks.l2(config),
        pointwise_regularizer=blocks.l2(config),
    )(x)
