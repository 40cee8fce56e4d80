"""Transfer networks, with the download of their weights played by the tests."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import TrainingError
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig

pytestmark = pytest.mark.xdist_group("tensorflow")

TRANSFER = [name for name in architectures.names() if architectures.get(name).fine_tune]


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 48, 48, 1)).astype(np.float32)


def _backbone(model: Any) -> Any:
    import keras

    (backbone,) = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return backbone


def _answer_downloads(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], str]) -> None:
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: answer())


def _fail_downloads(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> str:
        raise error

    _answer_downloads(monkeypatch, fail)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """Weights for MobileNetV2 as Keras would have them in its cache, and their values."""
    import keras

    keras.utils.set_random_seed(7)
    source = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    path = tmp_path_factory.mktemp("cache") / "mobilenet.weights.h5"
    source.save_weights(path)
    return path, source.get_weights()


@pytest.mark.parametrize("name", TRANSFER)
def test_sees_what_its_imagenet_weights_were_trained_on(name: str) -> None:
    import keras

    model = architectures.build(TrainingConfig(architecture=name, pretrained=False))
    before = keras.Model(model.input, model.get_layer("normalise").output)
    # A level face keeps its levels when it is enlarged.
    levels = np.array([0.0, 100.0, 255.0], np.float32)
    images = np.broadcast_to(levels[:, None, None, None], (3, 48, 48, 1))
    given = np.asarray(before(images))
    assert given.shape[-1] == 3
    assert given.shape[1] >= architectures.get(name).min_size
    rgb = np.repeat(levels[:, None, None, None], 3, axis=-1)
    np.testing.assert_allclose(given[:, :1, :1], _preprocessed(name, rgb), atol=1e-4)
    scores = np.asarray(model(_images(2)))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def _preprocessed(name: str, rgb: np.ndarray) -> np.ndarray:
    import keras

    if name != "efficientnet_v2b0":
        return getattr(keras.applications, name).preprocess_input(rgb.copy())
    # This one preprocesses in its first layers.
    own = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    for layer in own.layers[1:3]:
        rgb = layer(rgb)
    assert [type(layer).__name__ for layer in own.layers[1:3]] == ["Rescaling", "Normalization"]
    return np.asarray(rgb)


def test_only_inputs_below_the_networks_minimum_are_enlarged() -> None:
    def side(name: str, size: int) -> int:
        config = TrainingConfig(architecture=name, input_size=size, pretrained=False)
        return _backbone(architectures.build(config)).input_shape[1]

    assert side("xception", 48) == 96
    assert side("xception", 96) == 96
    assert side("mobilenet_v2", 48) == 48


@pytest.mark.slow
def test_exports_with_the_enlargement_inside(tmp_path: Path) -> None:
    import onnxruntime

    model = architectures.build(TrainingConfig(architecture="xception", pretrained=False))
    # Untrained, its features are close to zero: weigh them up until the scores tell.
    kernel = model.get_layer("scores").kernel
    kernel.assign(kernel * 1e6)
    scores = np.asarray(model(_images(2)))
    assert np.ptp(scores) > 0.1
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (exported,) = session.run(None, {session.get_inputs()[0].name: _images(2)})
    np.testing.assert_allclose(exported, scores, atol=1e-4)


def test_imagenet_weights_are_taken_over(
    weights: tuple[Path, list[np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer_downloads(monkeypatch, lambda: str(weights[0]))
    notes: list[str] = []
    config = TrainingConfig(architecture="mobilenet_v2", precision="mixed_bfloat16")
    model = architectures.build(config, notes.append)
    for value, expected in zip(_backbone(model).get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(value, expected)
    assert notes == []
    assert _backbone(model).trainable


def test_frozen_layers_keep_weights_and_statistics(
    weights: tuple[Path, list[np.ndarray]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import keras

    _answer_downloads(monkeypatch, lambda: str(weights[0]))
    model = architectures.build(TrainingConfig(architecture="mobilenet_v2", fine_tune=False))
    assert [weight.path for weight in model.trainable_weights] == ["scores/kernel", "scores/bias"]
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(_images(4), np.eye(7, dtype=np.float32)[:4])
    for value, expected in zip(_backbone(model).get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(value, expected)

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_weights) == 2


@pytest.mark.parametrize(
    "error",
    [
        Exception("URL fetch failure on https://example.org: None -- unreachable"),
        TimeoutError("timed out"),
        ValueError("Incomplete or corrupted file detected."),
    ],
)
def test_without_weights_training_starts_at_random_and_says_so(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _fail_downloads(monkeypatch, error)
    notes: list[str] = []
    config = TrainingConfig(architecture="mobilenet_v2")
    model = architectures.build(config, notes.append)
    assert model.count_params() == architectures.get("mobilenet_v2").num_parameters
    (note,) = notes
    assert "mobilenet_v2" in note
    assert str(error) in note
    assert "random weights" in note

    with caplog.at_level(logging.WARNING):
        architectures.build(config)
    assert note in caplog.messages


def test_without_weights_nothing_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    error = Exception("URL fetch failure")
    _fail_downloads(monkeypatch, error)
    with pytest.raises(TrainingError, match="switch fine_tune on") as caught:
        architectures.build(TrainingConfig(architecture="mobilenet_v2", fine_tune=False))
    assert caught.value.__cause__ is error


def test_programming_error_is_not_taken_for_a_missing_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fail_downloads(monkeypatch, TypeError("a bug"))
    with pytest.raises(TypeError, match="a bug"):
        architectures.build(TrainingConfig(architecture="mobilenet_v2"))


def test_download_gives_up_on_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float | None] = []

    def look() -> str:
        seen.append(socket.getdefaulttimeout())
        raise TimeoutError

    _answer_downloads(monkeypatch, look)
    architectures.build(TrainingConfig(architecture="mobilenet_v2"))
    assert seen[0] is not None
    assert seen[0] <= 10
    assert socket.getdefaulttimeout() is None
