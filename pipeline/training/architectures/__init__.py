"""The networks, one file a family, behind a flat registry of names.

A family's module holds one function for each of its networks, of the network's
name, that takes the images and the configuration and returns the scores:

    def vgg(images: keras.KerasTensor, config: TrainingConfig) -> keras.KerasTensor

Importing this package does not import Keras; building a network does.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.training.architectures.registry import Architecture, get, names
from pipeline.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras

__all__ = ["Architecture", "build", "get", "names"]

_log = logging.getLogger(__name__)


def build(
    config: TrainingConfig,
    note: Callable[[str], None] = _log.warning,
    *,
    pretrained: bool = True,
) -> keras.Model:
    """Builds the network that a configuration describes, its weights initialised.

    The network takes `float32` grey images in `[0, 255]`, shape
    `(n, input_size, input_size, 1)`, normalises them itself, and gives `float32`
    probabilities, shape `(n, 7)`, from a layer named `scores`, whatever
    `config.precision` the layers between compute in.

    Args:
        config: The configuration; its seed is not applied here.
        note: Called with one sentence for people if the network cannot start
            from the ImageNet weights that were asked for.
        pretrained: Whether to load these weights at all; not worth a download
            for a network that is given others next.

    Raises:
        UnknownArchitectureError: If `config.architecture` is not registered.
        ConfigError: If a setting has no meaning for this network.
        TrainingError: If the layers to be frozen cannot have ImageNet weights.
    """
    architecture = get(config.architecture)
    architecture.check(config)

    import keras

    family = importlib.import_module(f"{__name__}.{architecture.family}")
    with _dtype_policy(config.precision):
        images = keras.Input((config.input_size, config.input_size, 1), name="images")
        scores = getattr(family, architecture.name)(images, config)
        model = keras.Model(images, scores, name=architecture.name)
    if pretrained and architecture.fine_tune and config.pretrained:
        family.load_imagenet(model, config, note)
    return model


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Sets the dtype policy of the layers made inside the block.

    The policy is global in Keras, and the networks of `keras.applications` take
    it from nowhere else. Each layer keeps the one that it was made under.
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
