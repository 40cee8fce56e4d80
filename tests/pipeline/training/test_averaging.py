from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    import keras

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]


@pytest.fixture
def batches() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        (rng.normal(5, 2, (16, 4, 4, 1)).astype(np.float32), np.eye(7, dtype=np.float32)[[0] * 16])
        for _ in range(3)
    ]


def trained(batches: list[tuple[np.ndarray, np.ndarray]], *, frozen: bool = False) -> "keras.Model":
    """A network that normalises its images, after a few steps with a slow average."""
    import keras

    inside = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.BatchNormalization()])
    inside.layers[0].trainable = not frozen
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), inside, keras.layers.Flatten(), keras.layers.Dense(7, "softmax")]
    )
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    optimizer.finalize_variable_values = lambda variables: None
    model.compile(optimizer, "categorical_crossentropy")
    for images, targets in batches:
        model.train_on_batch(images, targets)
    return model


def values(model: "keras.Model") -> list[np.ndarray]:
    return [np.array(variable) for variable in model.weights]


def test_statistics_are_those_of_the_averaged_network(
    batches: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    from pipeline.training.averaging import averaged_weights

    model = trained(batches)
    norm = model.layers[0].layers[0]
    before, momentum = values(model), norm.momentum
    given: Any = batches
    with averaged_weights(model, given):
        images = np.concatenate([images for images, _ in batches])
        mean, variance = float(norm.moving_mean[0]), float(norm.moving_variance[0])
        assert mean == pytest.approx(images.mean(), abs=1e-3)
        assert variance == pytest.approx(images.var(), rel=0.02)
        average = np.array(model.optimizer._model_variables_moving_average[-2])
        np.testing.assert_array_equal(model.layers[-1].kernel, average)
        assert not np.array_equal(before[-2], average)
    assert norm.momentum == momentum
    for left, right in zip(values(model), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_frozen_statistics_stay(batches: list[tuple[np.ndarray, np.ndarray]]) -> None:
    from pipeline.training.averaging import averaged_weights

    model = trained(batches, frozen=True)
    given: Any = batches
    with averaged_weights(model, given):
        assert float(model.layers[0].layers[0].moving_mean[0]) == 0
