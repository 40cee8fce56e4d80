"""The fast layers are Keras' own in all but speed."""

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("tensorflow")

IMAGES = np.random.default_rng(0).normal(2, 3, (5, 6, 6, 4)).astype(np.float32)


def _normalisations(dtype: str) -> list[Any]:
    import keras

    from pipeline.training.architectures.fast_layers import FastBatchNormalization

    pair = []
    for kind in (FastBatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-5, dtype=dtype)
        layer.build(IMAGES.shape)
        layer.gamma.assign([0.5, 1, 2, 3])
        layer.beta.assign([-1, 0, 1, 2])
        pair.append(layer)
    return pair


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.04)])
def test_normalisation_trains_and_serves_as_keras_does(dtype: str, tolerance: float) -> None:
    fast, plain = _normalisations(dtype)
    for training in (True, True, False):
        found, expected = (layer(IMAGES, training=training) for layer in (fast, plain))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(
            np.asarray(found, np.float32), np.asarray(expected, np.float32), atol=tolerance
        )
    np.testing.assert_allclose(fast.moving_mean, plain.moving_mean, rtol=tolerance)
    np.testing.assert_allclose(fast.moving_variance, plain.moving_variance, rtol=tolerance)


def _gradients(layer: Any, images: np.ndarray) -> list[np.ndarray]:
    import tensorflow as tf

    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(tf.cast(layer(inputs, training=True), tf.float32) ** 3)
    return [np.asarray(each) for each in tape.gradient(loss, [inputs, *layer.trainable_weights])]


def test_normalisation_has_the_gradients_of_keras() -> None:
    fast, plain = (_gradients(layer, IMAGES) for layer in _normalisations("float32"))
    for found, expected in zip(fast, plain, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_frozen_normalisation_keeps_its_statistics() -> None:
    fast, _ = _normalisations("float32")
    fast.trainable = False
    before = np.asarray(fast.moving_mean)
    fast(IMAGES, training=True)
    np.testing.assert_array_equal(fast.moving_mean, before)


@pytest.mark.parametrize("kernel_size", [3, (2, 5)])
def test_convolution_has_the_results_and_gradients_of_keras(kernel_size: Any) -> None:
    import keras

    from pipeline.training.architectures.fast_layers import FastConv2D

    images = np.random.default_rng(1).normal(0, 1, (4, 5, 6, 128)).astype(np.float32)
    found = []
    for kind in (FastConv2D, keras.layers.Conv2D):
        layer = kind(
            8, kernel_size, padding="same", use_bias=False, dtype="mixed_bfloat16",
            kernel_initializer=keras.initializers.HeNormal(seed=3),
        )  # fmt: skip
        layer.build(images.shape)
        found.append([np.asarray(layer(images), np.float32), *_gradients(layer, images)])
    for fast, plain in zip(*found, strict=True):
        # bfloat16 has 8 bits.
        np.testing.assert_allclose(fast, plain, atol=0.02 * np.abs(plain).max())


def test_handed_on_model_holds_layers_of_keras_only() -> None:
    import keras

    from pipeline.training import architectures
    from pipeline.training.config import TrainingConfig
    from pipeline.training.packaging import _plain_float32

    config = TrainingConfig(architecture="vgg", precision="mixed_bfloat16")
    model = architectures.build(config)
    plain = _plain_float32(model)
    assert {type(layer).__module__.split(".")[0] for layer in plain.layers} == {"keras"}
    assert {layer.compute_dtype for layer in plain.layers} == {"float32"}
    kinds = [type(layer) for layer in plain.layers]
    assert kinds.count(keras.layers.Conv2D) == kinds.count(keras.layers.BatchNormalization) == 8
    images = np.random.default_rng(0).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    np.testing.assert_allclose(plain(images), model(images), atol=0.02)
