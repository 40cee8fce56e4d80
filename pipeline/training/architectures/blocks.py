"""The pieces that the networks share; plain Keras layers, for every backend."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import KerasTensor, layers

from pipeline.labels import NUM_EMOTIONS
from pipeline.training.architectures.fast_layers import FastBatchNormalization, FastConv2D
from pipeline.training.config import TrainingConfig

# Mean and standard deviation of FER-2013's training pixels, as shares of the
# range. Constants, so that a network means the same whatever it is trained on.
PIXEL_MEAN = 0.5077
PIXEL_DEVIATION = 0.2551

# Keras' default momentum of 0.99 needs hundreds of steps before the moving
# statistics can be used, longer than a quick trial lasts.
_BN_MOMENTUM = 0.9
_BN_EPSILON = 1e-5

_REDUCTION = 16


def normalise(images: KerasTensor) -> KerasTensor:
    """Standardises pixels in `[0, 255]`, in `float32` under every precision."""
    return layers.Rescaling(
        scale=1 / (255 * PIXEL_DEVIATION),
        offset=-PIXEL_MEAN / PIXEL_DEVIATION,
        dtype="float32",
        name="normalise",
    )(images)


def scaled(filters: int, config: TrainingConfig) -> int:
    """A number of filters at the configured width."""
    return max(1, round(filters * config.width))


def l2(config: TrainingConfig) -> keras.regularizers.Regularizer | None:
    """The penalty on kernels, `None` where it would be zero."""
    return keras.regularizers.L2(config.l2) if config.l2 else None


def conv(
    x: KerasTensor, filters: int, config: TrainingConfig, kernel_size: int = 3, strides: int = 1
) -> KerasTensor:
    """A convolution without a bias: the normalisation that follows would cancel it."""
    return FastConv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=l2(config),
    )(x)


def batch_norm(x: KerasTensor) -> KerasTensor:
    """Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167)."""
    return FastBatchNormalization(momentum=_BN_MOMENTUM, epsilon=_BN_EPSILON)(x)


def conv_bn_relu(
    x: KerasTensor, filters: int, config: TrainingConfig, strides: int = 1
) -> KerasTensor:
    """A 3×3 convolution, batch normalisation, ReLU."""
    return layers.ReLU()(batch_norm(conv(x, filters, config, strides=strides)))


def halving_shortcut(x: KerasTensor, filters: int, config: TrainingConfig) -> KerasTensor:
    """A 1×1 convolution with stride 2 and batch normalisation, beside a residual.

    The stride is a layer of its own: pooling single pixels picks the same ones. The
    gradient of a strided 1×1 convolution with few input channels writes past its
    buffer in oneDNN, and kills the process: uxlfoundation/oneDNN issue 6035.
    """
    x = layers.AveragePooling2D(pool_size=1, strides=2)(x)
    return batch_norm(conv(x, filters, config, kernel_size=1))


def classify(x: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Dropout and the softmax over the emotions, which ends a network.

    The layer computes in `float32`: in `bfloat16`, probabilities have three
    significant digits.
    """
    x = layers.Dropout(config.dropout)(x)
    return layers.Dense(
        NUM_EMOTIONS,
        activation="softmax",
        kernel_regularizer=l2(config),
        dtype="float32",
        name="scores",
    )(x)


def squeeze_excite(x: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Weighs channels by their mean (Hu et al. 2018, arXiv:1709.01507)."""
    excite = _channel_mlp(x.shape[-1], config)
    return _gate_channels(x, excite(layers.GlobalAveragePooling2D()(x)))


def cbam(x: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Weighs channels, then places (CBAM; Woo et al. 2018, arXiv:1807.06521)."""
    excite = _channel_mlp(x.shape[-1], config)
    pooled = (layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x))
    x = _gate_channels(x, layers.Add()([excite(each) for each in pooled]))
    pools = (layers.GlobalAveragePooling1D(), layers.GlobalMaxPooling1D())
    places = layers.Concatenate()([_over_channels(x, pool) for pool in pools])
    places = batch_norm(conv(places, 1, config, kernel_size=7))
    return layers.Multiply()([x, layers.Activation("sigmoid")(places)])


def _over_channels(x: KerasTensor, pool: layers.Layer) -> KerasTensor:
    """Pools the channels at each place.

    Of layers and not `keras.ops`, which an `.h5` file cannot be read back with.
    """
    height, width, channels = x.shape[1:]
    columns = layers.Permute((2, 1))(layers.Reshape((height * width, channels))(x))
    return layers.Reshape((height, width, 1))(pool(columns))


def _channel_mlp(channels: int, config: TrainingConfig) -> Callable[[KerasTensor], KerasTensor]:
    """Two dense layers through a bottleneck; each call shares their weights."""
    squeeze = layers.Dense(
        max(4, channels // _REDUCTION),
        activation="relu",
        kernel_initializer="he_normal",
        kernel_regularizer=l2(config),
    )
    expand = layers.Dense(channels, kernel_regularizer=l2(config))
    return lambda pooled: expand(squeeze(pooled))


def _gate_channels(x: KerasTensor, logits: KerasTensor) -> KerasTensor:
    gates = layers.Reshape((1, 1, x.shape[-1]))(layers.Activation("sigmoid")(logits))
    return layers.Multiply()([x, gates])
