"""A residual network for small images, with optional attention.

The layout of ResNet-18 (He et al. 2016, arXiv:1512.03385) with the stem that the
same paper uses for small images: one 3×3 convolution, no pooling. Attention
weighs a block's residual before it is added, as its authors place it.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from pipeline.training.architectures import blocks
from pipeline.training.config import TrainingConfig

_STAGES = (32, 64, 128, 256)
_BLOCKS_PER_STAGE = 2


def resnet(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Four stages of two basic blocks: 32, 64, 128 and 256 filters."""
    x = blocks.normalise(images)
    x = blocks.conv_bn_relu(x, blocks.scaled(_STAGES[0], config), config)
    for stage, filters in enumerate(_STAGES):
        for block in range(_BLOCKS_PER_STAGE):
            halve = stage > 0 and block == 0
            x = _basic_block(x, blocks.scaled(filters, config), halve, config)
    return blocks.classify(layers.GlobalAveragePooling2D()(x), config)


def _basic_block(x: KerasTensor, filters: int, halve: bool, config: TrainingConfig) -> KerasTensor:
    residual = blocks.conv_bn_relu(x, filters, config, strides=2 if halve else 1)
    residual = blocks.batch_norm(blocks.conv(residual, filters, config))
    if config.attention == "se":
        residual = blocks.squeeze_excite(residual, config)
    elif config.attention == "cbam":
        residual = blocks.cbam(residual, config)
    if halve:
        x = blocks.halving_shortcut(x, filters, config)
    return layers.ReLU()(layers.Add()([x, residual]))
