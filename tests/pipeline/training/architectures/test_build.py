"""Every network: what it costs, what goes in and out, that it learns, saves and exports."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.training import architectures
from pipeline.training.config import TrainingConfig

pytestmark = pytest.mark.xdist_group("tensorflow")

OWN = [name for name in architectures.names() if not architectures.get(name).fine_tune]
# Every network of our own, and each form of attention.
OWN_VARIANTS = [{"architecture": name} for name in OWN] + [
    {"architecture": "resnet", "attention": attention} for attention in ("se", "cbam")
]


def _variant_id(variant: dict[str, str]) -> str:
    return "-".join(variant.values())


def _images(count: int, size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 1)).astype(np.float32)


def _build(**settings: Any) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    return architectures.build(TrainingConfig(**{"pretrained": False, **settings}))


@pytest.mark.parametrize("name", architectures.names())
def test_documented_cost(name: str) -> None:
    from pipeline.training.architectures.macs import count_macs

    model = _build(architecture=name)
    architecture = architectures.get(name)
    assert model.count_params() == architecture.num_parameters
    assert count_macs(model) == architecture.num_macs
    assert model.name == name


def test_mini_xception_is_the_published_one() -> None:
    # "Total params" of the authors' own FER-2013 model.
    assert _build(architecture="mini_xception", input_size=64).count_params() == 58_423


def test_width_two_makes_the_filters_of_resnet_18() -> None:
    import keras

    convolutions = [
        layer
        for layer in _build(architecture="resnet", width=2.0).layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    # Seventeen 3x3 convolutions (the 18th layer is the classifier) and three shortcuts.
    assert [layer.filters for layer in convolutions if layer.kernel_size == (3, 3)] == (
        [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4
    )
    assert sum(layer.kernel_size == (1, 1) for layer in convolutions) == 3


@pytest.mark.parametrize("size", [48, 64, 96, 128])
@pytest.mark.parametrize("name", OWN)
def test_scores_are_probabilities_at_every_size(name: str, size: int) -> None:
    model = _build(architecture=name, input_size=size, width=0.25)
    assert model.input_shape == (None, size, size, 1)
    assert model.layers[-1].name == "scores"
    scores = np.asarray(model(_images(2, size)))
    assert scores.shape == (2, 7)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(scores[0] - scores[1]) > 0  # the images are looked at


@pytest.mark.parametrize("name", OWN)
def test_first_layer_standardises(name: str) -> None:
    layer = _build(architecture=name, width=0.25).layers[1]
    pixels = np.array([0.5077, 0.5077 + 0.2551], np.float32) * 255
    np.testing.assert_allclose(np.asarray(layer(pixels)), [0, 1], atol=1e-5)


@pytest.mark.parametrize("variant", OWN_VARIANTS, ids=_variant_id)
def test_learns_and_every_weight_takes_part(variant: dict[str, str]) -> None:
    import keras

    model = _build(**variant, width=0.25, dropout=0.0)
    # What counts is whether gradients arrive, so no graph is compiled.
    model.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy", run_eagerly=True)
    images, targets = _images(7), np.eye(7, dtype=np.float32)
    before = [weight.numpy() for weight in model.trainable_weights]
    losses = [float(model.train_on_batch(images, targets)) for _ in range(4)]
    assert min(losses[1:]) < losses[0]
    still = [
        weight.path
        for weight, was in zip(model.trainable_weights, before, strict=True)
        if np.array_equal(weight.numpy(), was)
    ]
    assert still == []


@pytest.mark.parametrize("size", [12, 13])
def test_shortcut_is_a_strided_convolution(size: int) -> None:
    import keras

    from pipeline.training.architectures import blocks

    inputs = keras.Input((size, size, 4))
    shortcut = keras.Model(inputs, blocks.halving_shortcut(inputs, 6, TrainingConfig()))
    (kernel,) = [weight for weight in shortcut.weights if "kernel" in weight.path]
    images = np.random.default_rng(0).normal(size=(3, size, size, 4)).astype(np.float32)
    expected = keras.ops.conv(images, kernel, strides=2, padding="same")
    # A new normalisation divides by nothing but sqrt(1 + epsilon).
    np.testing.assert_allclose(shortcut(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OWN)
def test_no_convolution_that_onednn_cannot_train(name: str) -> None:
    # Strided 1x1 convolutions: see blocks.halving_shortcut. The crash itself comes by chance.
    import keras

    convolutions = [
        layer
        for layer in _build(architecture=name, width=0.25).layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert convolutions
    assert not [
        each for each in convolutions if each.kernel_size == (1, 1) and each.strides != (1, 1)
    ]


# CBAM contains what the other two forms of the residual network are made of.
@pytest.mark.parametrize(
    "variant",
    [
        variant
        for variant in OWN_VARIANTS
        if variant["architecture"] != "resnet" or variant.get("attention") == "cbam"
    ],
    ids=_variant_id,
)
def test_saves_loads_and_exports(variant: dict[str, str], tmp_path: Path) -> None:
    import keras
    import onnxruntime

    model = _build(**variant, width=0.25)
    images = _images(3)
    # Called, not asked to predict, which would have each of the three compiled.
    scores = np.asarray(model(images))

    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        loaded = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(np.asarray(loaded(images)), scores)

    loaded.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (exported,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(exported, scores, atol=1e-5)


@pytest.mark.parametrize("variant", OWN_VARIANTS, ids=_variant_id)
def test_l2_holds_every_kernel_and_nothing_else(variant: dict[str, str]) -> None:
    assert _build(**variant, width=0.25).losses == []
    model = _build(**variant, width=0.25, l2=0.01)
    kernels = [weight for weight in model.trainable_weights if "kernel" in weight.path]
    expected = 0.01 * sum(float(np.square(kernel.numpy()).sum()) for kernel in kernels)
    assert sum(float(loss) for loss in model.losses) == pytest.approx(expected, rel=1e-4)


def test_dropout_is_halved_in_the_seeds_blocks_and_whole_before_classifiers() -> None:
    import keras

    def rates(name: str) -> list[float]:
        model = _build(architecture=name, dropout=0.4, width=0.25)
        return [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]

    assert rates("seed_cnn") == [0.2, 0.2, 0.2, 0.2, 0.4]
    assert all(rates(name) == [0.4] for name in OWN if name != "seed_cnn")


@pytest.mark.parametrize("variant", OWN_VARIANTS, ids=_variant_id)
def test_mixed_precision_is_inside_only(variant: dict[str, str]) -> None:
    import keras

    model = _build(**variant, width=0.25, precision="mixed_bfloat16")
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert {layer.compute_dtype for layer in convolutions} == {"bfloat16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.layers[1].compute_dtype == "float32"
    scores = np.asarray(model(_images(4)))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert keras.config.dtype_policy().name == "float32"


def test_failed_build_leaves_the_global_precision_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from pipeline.training.architectures import vgg

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(vgg, "vgg", fail)
    with pytest.raises(RuntimeError):
        _build(architecture="vgg", precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
