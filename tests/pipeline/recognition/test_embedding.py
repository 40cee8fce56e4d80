"""The features of networks that end in every way that those trained here do."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.errors import ImageFormatError, ModelLoadError
from pipeline.preprocessing import Preprocessing
from pipeline.progress import Cancelled
from pipeline.recognition import embedding as module
from pipeline.recognition.classifier import EmotionClassifier, open_session
from pipeline.recognition.contract import MODEL_ONNX
from pipeline.recognition.embedding import ModelEmbedding
from pipeline.recognition.probes import Probes
from tests.served_models import bar_faces, make_contract, make_model, softmax

FACES = bar_faces(np.arange(9) % 7)
HIDDEN = 5
SIDE = 48
RNG = np.random.default_rng(0)
FIRST = RNG.normal(0, 1e-3, (SIDE * SIDE, HIDDEN)).astype(np.float32)
LAST = RNG.normal(0, 0.3, (HIDDEN, 7)).astype(np.float32)
BIAS = np.linspace(-1, 1, 7, dtype=np.float32)
# Three maps from a grey one, then one for each emotion.
MAPS = RNG.normal(0, 0.01, (3, 1, 1, 1)).astype(np.float32)
HEADS = RNG.normal(0, 0.3, (7, 3, 1, 1)).astype(np.float32)
TO_HIDDEN = [
    helper.make_node("Flatten", ["images"], ["flat"]),
    helper.make_node("MatMul", ["flat", "FIRST"], ["seen"]),
    helper.make_node("Relu", ["seen"], ["hidden"]),
]
TO_MAPS = [
    helper.make_node("Transpose", ["images"], ["channels_first"], perm=[0, 3, 1, 2]),
    helper.make_node("Conv", ["channels_first", "MAPS"], ["maps"]),
]


def write(folder: Path, nodes: list[onnx.NodeProto]) -> Path:
    """A complete model of these nodes, from `images` to `scores`."""
    folder.mkdir()
    constants = [
        numpy_helper.from_array(globals()[name], name)
        for name in ("FIRST", "LAST", "BIAS", "MAPS", "HEADS")
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", SIDE, SIDE, 1])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 7])
    graph = helper.make_graph(nodes, "network", [images], [scores], constants)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(network, folder / MODEL_ONNX)
    session = open_session(folder / MODEL_ONNX)
    inputs = Preprocessing().apply(FACES)
    found = session.run(["scores"], {"images": inputs.astype(np.float32)})[0]
    Probes(FACES, inputs, found).save(folder)
    make_contract().save(folder)
    return folder


def hidden() -> np.ndarray:
    flat = FACES.reshape(len(FACES), -1).astype(np.float64)
    return np.maximum(flat @ FIRST, 0)


DENSE = {
    "product and bias": [
        *TO_HIDDEN,
        helper.make_node("MatMul", ["hidden", "LAST"], ["product"]),
        helper.make_node("Add", ["product", "BIAS"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ],
    "bias first in the sum": [
        *TO_HIDDEN,
        helper.make_node("MatMul", ["hidden", "LAST"], ["product"]),
        helper.make_node("Add", ["BIAS", "product"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ],
    "in one": [
        *TO_HIDDEN,
        helper.make_node("Gemm", ["hidden", "LAST", "BIAS"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["softened"], axis=-1),
        helper.make_node("Identity", ["softened"], ["scores"]),
    ],
}


@pytest.mark.parametrize("nodes", DENSE.values(), ids=DENSE)
def test_features_are_what_the_last_dense_layer_takes(
    tmp_path: Path, nodes: list[onnx.NodeProto]
) -> None:
    folder = write(tmp_path / "model", nodes)
    features = ModelEmbedding.load(folder).features(FACES)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, hidden(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        softmax(features @ LAST + BIAS),
        EmotionClassifier.load(folder).scores(FACES).probabilities,
        atol=1e-5,
    )


def test_of_a_network_without_a_dense_layer_the_mean_over_the_image(tmp_path: Path) -> None:
    nodes = [
        *TO_MAPS,
        helper.make_node("Conv", ["maps", "HEADS"], ["heads"]),
        helper.make_node("GlobalAveragePool", ["heads"], ["means"]),
        helper.make_node("Flatten", ["means"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    features = ModelEmbedding.load(write(tmp_path / "model", nodes)).features(FACES)
    expected = FACES.mean(axis=(1, 2))[:, None] * MAPS.ravel()
    np.testing.assert_allclose(features, expected, rtol=1e-4)


def test_scores_from_two_branches_have_no_last_layer(tmp_path: Path) -> None:
    nodes = [
        *TO_HIDDEN,
        helper.make_node("MatMul", ["hidden", "LAST"], ["left"]),
        helper.make_node("Tanh", ["left"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    folder = write(tmp_path / "model", nodes)
    with pytest.raises(ModelLoadError, match=r"no features to show: .* got Add of 2 inputs"):
        ModelEmbedding.load(folder)


def test_a_network_without_weights_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("Tanh", ["flat"], ["bounded"]),
        helper.make_node("Slice", ["bounded", "from", "to", "axis"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    constants = [
        helper.make_node("Constant", [], [name], value_ints=[value])
        for name, value in (("from", 0), ("to", 7), ("axis", 1))
    ]
    folder = write(tmp_path / "model", constants + nodes)
    with pytest.raises(ModelLoadError, match="got Slice"):
        ModelEmbedding.load(folder)


def test_faces_are_prepared_as_for_scoring_and_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_model(tmp_path / "bars", preprocessing=Preprocessing(clahe=True))
    loaded = ModelEmbedding.load(folder)
    whole = loaded.features(FACES)
    monkeypatch.setattr(module, "BATCH_SIZE", 4)
    seen: list[tuple[float, float | None]] = []
    parts = loaded.features(FACES, progress=lambda done, total, text="": seen.append((done, total)))
    np.testing.assert_array_equal(parts, whole)
    # Of this network the features are the prepared pixels themselves.
    expected = Preprocessing(clahe=True).apply(FACES).reshape(len(FACES), -1)
    np.testing.assert_array_equal(whole, expected)
    assert seen == [(0, 9), (4, 9), (8, 9), (9, 9)]
    assert loaded.features(FACES[:0]).shape == (0, SIDE * SIDE)


def test_cancelling_and_wrong_images(tmp_path: Path) -> None:
    loaded = ModelEmbedding.load(make_model(tmp_path / "bars"))

    def cancel(done: float, total: float | None, text: str = "") -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        loaded.features(FACES, progress=cancel)
    with pytest.raises(ImageFormatError):
        loaded.features(FACES.astype(np.float32))


def test_a_model_that_is_not_as_it_left_training_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "bars")
    other = make_model(tmp_path / "other", gain=0.02)
    (folder / MODEL_ONNX).write_bytes((other / MODEL_ONNX).read_bytes())
    with pytest.raises(ModelLoadError, match="not as it left training"):
        ModelEmbedding.load(folder)
