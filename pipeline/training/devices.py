"""Training on several accelerators of one machine."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras


def strategy_scope() -> AbstractContextManager[object]:
    """The scope to build and compile in: data-parallel when there is more than one device.

    With the TensorFlow backend all GPUs share each batch through
    `tf.distribute.MirroredStrategy`; with JAX all devices do through
    `keras.distribution.DataParallel`. Torch trains on one device.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if len(tf.config.list_logical_devices("GPU")) > 1:
            return tf.distribute.MirroredStrategy().scope()
    if backend == "jax" and len(keras.distribution.list_devices()) > 1:
        return keras.distribution.DataParallel().scope()
    return nullcontext()
