import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ImageFormatError, ModelLoadError
from pipeline.preprocessing import Preprocessing
from pipeline.recognition import classifier as module
from pipeline.recognition.classifier import EmotionClassifier, EmotionScores, with_temperature
from pipeline.recognition.contract import CONTRACT, MODEL_ONNX, ModelContract
from pipeline.recognition.probes import PROBES, Probes
from tests.served_models import bar_faces, bar_weights, make_model, softmax, write_network

LABELS = np.array([3, 0, 6, 1, 1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_model(tmp_path / "bars")


def test_scores_are_those_of_the_network(folder: Path) -> None:
    faces = bar_faces(LABELS)
    scores = EmotionClassifier.load(folder).scores(faces)
    expected = softmax(faces.reshape(len(faces), -1).astype(np.float64) @ bar_weights())
    np.testing.assert_allclose(scores.probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(scores.labels, LABELS)
    np.testing.assert_allclose(scores.confidence, expected.max(axis=1), atol=1e-5)
    assert scores.names == ["happy", "angry", "neutral", "disgust", "disgust"]


def test_no_face_gives_no_row(folder: Path) -> None:
    scores = EmotionClassifier.load(folder).scores(np.empty((0, 48, 48), np.uint8))
    assert scores.probabilities.shape == (0, 7)
    assert len(scores) == 0
    assert scores.names == []


def test_colour_and_size_of_the_crop_do_not_matter(folder: Path) -> None:
    classifier = EmotionClassifier.load(folder)
    faces = bar_faces(LABELS)
    large = np.repeat(np.repeat(faces, 2, axis=1), 2, axis=2)
    colour = np.repeat(large[..., None], 3, axis=3)
    np.testing.assert_allclose(
        classifier.scores(colour).probabilities, classifier.scores(faces).probabilities, atol=1e-5
    )


def test_batches_are_bounded_and_joined_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = EmotionClassifier.load(folder)
    faces = bar_faces(np.arange(10) % 7)
    whole = classifier.scores(faces).probabilities
    monkeypatch.setattr(module, "BATCH_SIZE", 4)
    sizes: list[int] = []
    apply = Preprocessing.apply

    def counted(self: Preprocessing, part: np.ndarray) -> np.ndarray:
        sizes.append(len(part))
        return apply(self, part)

    monkeypatch.setattr(Preprocessing, "apply", counted)
    np.testing.assert_allclose(classifier.scores(faces).probabilities, whole, atol=1e-6)
    assert sizes == [4, 4, 2]


def test_temperature_is_applied_unless_told_otherwise(tmp_path: Path) -> None:
    classifier = EmotionClassifier.load(make_model(tmp_path / "hot", temperature=4.0))
    faces = bar_faces(LABELS)
    logits = faces.reshape(len(faces), -1).astype(np.float64) @ bar_weights()
    np.testing.assert_allclose(
        classifier.scores(faces).probabilities, softmax(logits / 4), atol=1e-5
    )
    np.testing.assert_allclose(
        classifier.scores(faces, calibrated=False).probabilities, softmax(logits), atol=1e-5
    )


def test_temperature_keeps_the_order_and_survives_zeros() -> None:
    probabilities = np.array([[1, 0, 0, 0, 0, 0, 0], [0.4, 0.3, 0.1, 0.1, 0.1, 0, 0]], np.float32)
    soft = with_temperature(probabilities, 2.0)
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-6)
    assert soft[0, 0] > 0.999
    roots = np.sqrt(probabilities[1])
    np.testing.assert_allclose(soft[1], roots / roots.sum(), atol=1e-6)
    np.testing.assert_allclose(with_temperature(probabilities, 1.0), probabilities, atol=1e-6)


def test_many_threads_get_their_own_scores(folder: Path) -> None:
    classifier = EmotionClassifier.load(folder, num_threads=1)
    found: dict[int, set[int]] = {}

    def work(label: int) -> None:
        faces = bar_faces(np.full(20, label), seed=label)
        found[label] = {int(k) for _ in range(20) for k in classifier.scores(faces).labels}

    threads = [threading.Thread(target=work, args=(label,)) for label in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {label: {label} for label in range(7)}


def test_wrong_faces_are_refused(folder: Path) -> None:
    with pytest.raises(ImageFormatError, match="expected uint8 faces"):
        EmotionClassifier.load(folder).scores(np.zeros((1, 48, 48), np.float32))


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.full((2, 7), 1 / 7), "float64"),
        (np.full((2, 6), 1 / 6, np.float32), r"\(2, 6\)"),
        (np.full(7, 1 / 7, np.float32), r"\(7,\)"),
        (np.full((1, 7), 0.2, np.float32), "sum to 1"),
        (np.full((1, 7), np.nan, np.float32), "sum to 1"),
        (np.array([[1.5, -0.5, 0, 0, 0, 0, 0]], np.float32), r"in \[0, 1\]"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(
    probabilities: np.ndarray, message: str
) -> None:
    with pytest.raises(ModelLoadError, match=message):
        EmotionScores(probabilities)


@pytest.mark.parametrize("name", [CONTRACT, MODEL_ONNX, PROBES])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelLoadError, match=f"{name} is missing"):
        EmotionClassifier.load(folder)


@pytest.mark.parametrize("name", [CONTRACT, MODEL_ONNX, PROBES])
@pytest.mark.parametrize("keep", [0.0, 0.6])
def test_truncated_file_is_refused(folder: Path, name: str, keep: float) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(ModelLoadError, match=name):
        EmotionClassifier.load(folder)


@pytest.mark.parametrize(
    ("name", "place", "bit"),
    [
        (MODEL_ONNX, 10, 7),  # in an operator's name, which is then no text
        (PROBES, 122, 6),  # in what an array says of itself
        (PROBES, 216, 0),  # in what is packed
        (PROBES, -68, 6),  # in the archive's table of contents
    ],
)
def test_file_with_a_wrong_bit_is_refused(folder: Path, name: str, place: int, bit: int) -> None:
    data = bytearray((folder / name).read_bytes())
    data[place] ^= 1 << bit
    (folder / name).write_bytes(data)
    with pytest.raises(ModelLoadError, match=name):
        EmotionClassifier.load(folder)


def test_other_weights_are_refused(folder: Path) -> None:
    write_network(folder / MODEL_ONNX, bar_weights(gain=0.06))
    with pytest.raises(ModelLoadError, match="score differently from when the model was made"):
        EmotionClassifier.load(folder)


def test_network_without_softmax_is_refused(folder: Path) -> None:
    write_network(folder / MODEL_ONNX, bar_weights(), softmax=False)
    with pytest.raises(ModelLoadError, match="softmax"):
        EmotionClassifier.load(folder)


def test_tampered_probe_scores_are_refused(folder: Path) -> None:
    probes = Probes.load(folder)
    replace(probes, scores=probes.scores[::-1]).save(folder)
    with pytest.raises(ModelLoadError, match="score differently"):
        EmotionClassifier.load(folder)


def test_contract_with_other_preprocessing_is_refused(folder: Path) -> None:
    replace(ModelContract.load(folder), preprocessing=Preprocessing(clahe=True)).save(folder)
    with pytest.raises(ModelLoadError, match="grey levels"):
        EmotionClassifier.load(folder)


def test_contract_with_another_input_size_is_refused(folder: Path) -> None:
    replace(ModelContract.load(folder), preprocessing=Preprocessing(size=64)).save(folder)
    with pytest.raises(ModelLoadError, match=r"promises float32 of shape \(n, 64, 64, 1\)"):
        EmotionClassifier.load(folder)


@pytest.mark.parametrize(
    "arrays",
    [
        {"faces": np.zeros((0, 48, 48), np.uint8)},
        {"inputs": np.zeros((3, 48, 48, 1), np.uint8)},
        {"inputs": np.zeros((14, 48, 48, 1), np.float32)},
        {"inputs": np.zeros((14, 64, 64, 1), np.uint8)},
        {"scores": np.zeros((14, 8), np.float32)},
        {"faces": np.zeros((14, 48, 48), np.float32)},
    ],
)
def test_probes_that_do_not_fit_together_are_refused(
    folder: Path, arrays: dict[str, np.ndarray]
) -> None:
    with np.load(folder / PROBES) as stored:
        np.savez(folder / PROBES, **{**stored, **arrays})
    with pytest.raises(ModelLoadError, match="prob"):
        EmotionClassifier.load(folder)
