"""Judging and keeping the moving average of the weights instead of the weights.

An exponential moving average (Polyak and Juditsky 1992, "Acceleration of
Stochastic Approximation by Averaging") is steadier than the weights that it
follows. The statistics of batch normalisation are not averaged with them: those
that the raw network gathered belong to other activations, so they are measured
anew, as for any averaged weights (Izmailov et al. 2018, arXiv:1803.05407,
section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from pipeline.training.batches import TrainingBatches

_MEASURED_BATCHES = 10


@contextmanager
def averaged_weights(model: keras.Model, batches: TrainingBatches) -> Iterator[None]:
    """Gives the model its moving-average weights for the block, if it keeps any.

    Args:
        model: Compiled, with its optimizer built.
        batches: Training batches; the first of them measure the statistics of
            batch normalisation.
    """
    optimizer = model.optimizer
    if not optimizer.use_ema or not int(keras.ops.convert_to_numpy(optimizer.iterations)):
        yield
        return
    weights, norms = model.trainable_variables, list(_learning_norms(model))
    statistics = [kept for norm in norms for kept in (norm.moving_mean, norm.moving_variance)]
    raw, raw_statistics = _values(weights), _values(statistics)
    try:
        type(optimizer).finalize_variable_values(optimizer, weights)
        # By value: with JAX the weights would otherwise share, and lose, the average's buffers.
        _assign(weights, _values(weights))
        _measure(model, norms, batches)
        yield
    finally:
        _assign(weights, raw)
        _assign(statistics, raw_statistics)


def _learning_norms(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """The layers that normalise batches and follow them; frozen ones do not."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _learning_norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            yield layer


def _measure(
    model: keras.Model, norms: list[keras.layers.BatchNormalization], batches: TrainingBatches
) -> None:
    """Makes the layers' statistics the means of those of some batches."""
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    try:
        for index in range(min(_MEASURED_BATCHES, len(batches))):
            for norm in norms:
                norm.momentum = index / (index + 1)  # the plain mean of all so far
            model(batches[index][0], training=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
