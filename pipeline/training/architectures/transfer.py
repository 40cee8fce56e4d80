"""Transfer learning: networks of `keras.applications`, begun from ImageNet weights.

Grey faces become three equal channels, are enlarged if they are smaller than the
network works on, and pass through the preprocessing that the network was trained
with. A new classifier stands on the pooled features. The L2 penalty is on the
classifier only; to hold the other layers too, use weight decay.
"""

from __future__ import annotations

import functools
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
from keras import KerasTensor, layers

from pipeline.errors import TrainingError
from pipeline.training.architectures import blocks
from pipeline.training.architectures.registry import get
from pipeline.training.config import TrainingConfig

# The size that all the weights are published for; convolutions fit any.
_IMAGENET_SHAPE = (224, 224, 3)
# A connection that answers nothing must not hold a training up for minutes.
_SILENCE_SECONDS = 10.0


@dataclass(frozen=True)
class _Backbone:
    """A network of `keras.applications` and what it was trained on.

    Attributes:
        application: Makes the network.
        scale, offset: From RGB in `[0, 255]` to the network's input, by channel.
    """

    application: Callable[..., keras.Model]
    scale: tuple[float, ...]
    offset: tuple[float, ...]


_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_TO_PLUS_MINUS_ONE = ((1 / 127.5,) * 3, (-1.0,) * 3)
_BACKBONES = {
    "mobilenet_v2": _Backbone(keras.applications.MobileNetV2, *_TO_PLUS_MINUS_ONE),
    "xception": _Backbone(keras.applications.Xception, *_TO_PLUS_MINUS_ONE),
    # Mean colour in the order blue, green, red, as in Caffe. The channels of a
    # grey face are equal, so they need no reordering.
    "resnet50": _Backbone(
        keras.applications.ResNet50, (1.0, 1.0, 1.0), (-103.939, -116.779, -123.68)
    ),
    # It brings preprocessing layers, but they would compute in bfloat16 where the rest does.
    "efficientnet_v2b0": _Backbone(
        functools.partial(keras.applications.EfficientNetV2B0, include_preprocessing=False),
        tuple(1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION),
        tuple(
            -mean / deviation
            for mean, deviation in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)
        ),
    ),
}


def mobilenet_v2(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381)."""
    return _transfer("mobilenet_v2", images, config)


def efficientnet_v2b0(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """EfficientNetV2-B0 (Tan and Le 2021, arXiv:2104.00298)."""
    return _transfer("efficientnet_v2b0", images, config)


def resnet50(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """ResNet-50 (He et al. 2016, arXiv:1512.03385)."""
    return _transfer("resnet50", images, config)


def xception(images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    """Xception (Chollet 2017, arXiv:1610.02357)."""
    return _transfer("xception", images, config)


def _transfer(name: str, images: KerasTensor, config: TrainingConfig) -> KerasTensor:
    spec = _BACKBONES[name]
    x = images
    factor = math.ceil(get(name).min_size / config.input_size)
    if factor > 1:
        x = layers.UpSampling2D(factor, interpolation="bilinear", dtype="float32")(x)
    x = layers.Concatenate(dtype="float32", name="grey_to_rgb")([x, x, x])
    x = layers.Rescaling(spec.scale, spec.offset, dtype="float32", name="normalise")(x)
    backbone = spec.application(include_top=False, weights=None, input_shape=x.shape[1:])
    backbone.trainable = config.fine_tune
    # Frozen layers run as in service: batch statistics and stochastic depth are fixed.
    x = backbone(x) if config.fine_tune else backbone(x, training=False)
    return blocks.classify(layers.GlobalAveragePooling2D()(x), config)


def load_imagenet(model: keras.Model, config: TrainingConfig, note: Callable[[str], None]) -> None:
    """Gives a transfer network its ImageNet weights, downloaded once by Keras.

    Args:
        model: A network that this module built.
        config: The configuration that it was built from.
        note: Told if there are no weights to be had and random ones are kept.

    Raises:
        TrainingError: If there are none, and the layers are to stay frozen.
    """
    name = config.architecture
    try:
        with _impatient_sockets():
            source = _BACKBONES[name].application(
                include_top=False, weights="imagenet", input_shape=_IMAGENET_SHAPE
            )
    except Exception as error:
        # Keras raises a bare Exception for a failed download and ValueError for a wrong checksum.
        if not (type(error) is Exception or isinstance(error, (OSError, ValueError))):
            raise
        reason = f"the ImageNet weights of {name} cannot be had ({error})"
        if not config.fine_tune:
            raise TrainingError(
                f"{reason}, and frozen random layers learn nothing: connect to the network once, "
                "or switch fine_tune on"
            ) from error
        note(f"{reason}: training starts from random weights")
        return
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    backbone.set_weights(source.get_weights())


@contextmanager
def _impatient_sockets() -> Iterator[None]:
    """Lets a connection time out, which Keras' downloads otherwise never do."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
