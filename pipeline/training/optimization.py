"""Optimizer, learning-rate schedule and loss, from a configuration."""

from __future__ import annotations

import math
from functools import partial

import keras

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
    # fits of one epoch: the average is looked at through `averaging` only.
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
