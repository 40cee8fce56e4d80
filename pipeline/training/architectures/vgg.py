"""Plain 3×3 convolutions with global average pooling (VGG).

After Simonyan and Zisserman 2015, arXiv:1409.1556, with batch normalisation, and
global average pooling in place of dense layers (Lin et al. 2014,
arXiv:1312.4400). Dropout stands before the classifier only.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from pipeline.training.architectures import blocks
from pipeline.training.config import TrainingConfig


def vgg(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Four blocks of two convolutions: 32, 64, 128 and 256 filters."""
    return _vgg(images, config, ((32, 32), (64, 64), (128, 128), (256, 256)))


def vgg_wide(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """One convolution of 32 filters, then blocks of two with 96, 192 and 256."""
    return _vgg(images, config, ((32,), (96, 96), (192, 192), (256, 256)))


def vgg_deep(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """One convolution of 32 filters, two of 64, then blocks of three with 160 and 256."""
    return _vgg(images, config, ((32,), (64, 64), (160, 160, 160), (256, 256, 256)))


def _vgg(
    images: KerasTensor, config: TrainingConfig, block_filters: tuple[tuple[int, ...], ...]
) -> KerasTensor:
    x = blocks.normalise(images)
    for index, block in enumerate(block_filters):
        if index:
            x = layers.MaxPooling2D()(x)
        for filters in block:
            x = blocks.conv_bn_relu(x, blocks.scaled(filters, config), config)
    return blocks.classify(layers.GlobalAveragePooling2D()(x), config)
