"""Optimizer, learning-rate schedule and loss, from a configuration."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import keras
import numpy as np

from pipeline.training.config import TrainingConfig

PLATEAU_FACTOR = 0.5

_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
    "rmsprop": keras.optimizers.RMSprop,
}


def make_optimizer(config: TrainingConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration describes, with its schedule."""
    rate = _learning_rate(config, steps_per_epoch)
    optimizer = _OPTIMIZERS[config.optimizer](
        learning_rate=rate,
        # AdamW always decays, so 0 must be said; the others take 0 for an error.
        weight_decay=config.weight_decay
        if config.optimizer == "adamw"
        else config.weight_decay or None,
        use_ema=config.ema > 0,
        ema_momentum=config.ema or 0.99,
    )
    # `fit` ends by overwriting the weights with their average. A training here is many
    # fits of one epoch: the average is looked at through `averaged_weights` only.
    optimizer.finalize_variable_values = lambda variables: None
    return optimizer


def make_loss(config: TrainingConfig) -> keras.losses.Loss:
    """The loss on class probabilities that a configuration describes."""
    if config.loss == "focal":
        # alpha 1: rare classes are `class_weights`' part.
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=2.0, label_smoothing=config.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)


def current_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate of the next step."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Gives the model its moving-average weights for the block, if it keeps any."""
    optimizer = model.optimizer
    if not optimizer.use_ema or not int(keras.ops.convert_to_numpy(optimizer.iterations)):
        yield
        return
    variables = model.trainable_variables
    raw = _values(variables)
    type(optimizer).finalize_variable_values(optimizer, variables)
    # By value: with JAX the weights would otherwise share, and lose, the average's buffers.
    _assign(variables, _values(variables))
    try:
        yield
    finally:
        _assign(variables, raw)


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _learning_rate(
    config: TrainingConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if config.schedule != "cosine":
        return config.learning_rate
    warmup_steps = math.ceil(config.warmup_epochs * steps_per_epoch)
    total_steps = config.epochs * steps_per_epoch
    if not warmup_steps:
        return keras.optimizers.schedules.CosineDecay(config.learning_rate, total_steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, total_steps - warmup_steps),
        warmup_target=config.learning_rate,
        warmup_steps=warmup_steps,
    )
