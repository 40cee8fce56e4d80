"""Training on several accelerators of one machine."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras


def strategy_scope() -> AbstractContextManager[object]:
    """The scope to build and compile in: data-parallel where there is more than one GPU.

    With the TensorFlow backend all GPUs share each batch through
    `tf.distribute.MirroredStrategy`, which the model then keeps. JAX and Torch
    train on one device: `keras.distribution.DataParallel` would have to be in
    force in every `fit` too, and takes no batch that the devices cannot share
    evenly, such as the last one of an epoch.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if len(tf.config.list_logical_devices("GPU")) > 1:
            return tf.distribute.MirroredStrategy().scope()
    return nullcontext()
