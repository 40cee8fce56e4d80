import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import ModelLoadError
from pipeline.evaluation import PredictionStore, evaluate, predict, predictions, summarise
from pipeline.files import read_json, write_json
from pipeline.progress import Cancelled
from pipeline.recognition.classifier import EmotionClassifier


def refuse(done: float, total: float | None, text: str = "") -> None:
    raise Cancelled


def test_answers_of_one_split_in_its_order(classifier: EmotionClassifier, bars: Dataset) -> None:
    found = predict(classifier, bars, Split.TEST)
    assert found.indices.tolist() == list(range(210, 280))
    assert found.probabilities.shape == (len(found), 7)
    assert found.predicted.tolist() == found.labels.tolist()
    assert found.is_right.all()
    assert np.array_equal(found.confidence, found.probabilities.max(axis=1))


def test_sums_up_to_what_evaluate_says(classifier: EmotionClassifier, bars: Dataset) -> None:
    found = predict(classifier, bars, Split.TEST)
    report = summarise(found, bars, threshold=classifier.contract.unsure_below)
    other = evaluate(classifier, bars, Split.TEST)
    assert replace(report, latency_ms=None) == replace(other, latency_ms=None)
    assert report.latency_ms == found.latency_ms


def test_kept_answers_are_not_computed_again(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
) -> None:
    store = PredictionStore(tmp_path / "cache")
    assert store.load(classifier.folder, bars, Split.TEST) is None
    first = store.get(classifier.folder, bars, Split.TEST)
    again = store.get(classifier.folder, bars, Split.TEST, progress=refuse)
    assert np.array_equal(first.probabilities, again.probabilities)
    assert (again.model, again.latency_ms) == (first.model, first.latency_ms)
    with pytest.raises(Cancelled):
        store.get(classifier.folder, bars, Split.VALIDATION, progress=refuse)
    with pytest.raises(Cancelled):
        store.get(classifier.folder, bars, Split.TEST, tta="flip", progress=refuse)


def test_another_temperature_or_other_data_are_computed_anew(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
) -> None:
    store = PredictionStore(tmp_path / "cache")
    first = store.get(classifier.folder, bars, Split.TEST)
    other = replace(bars, meta=replace(bars.meta, fingerprint="f" * 64))
    assert store.load(classifier.folder, other, Split.TEST) is None
    contract = read_json(classifier.folder / "contract.json")
    write_json(classifier.folder / "contract.json", {**contract, "temperature": 3.0})
    softer = store.get(classifier.folder, bars, Split.TEST)
    assert (softer.confidence < first.confidence).all()


def test_labels_are_those_of_the_dataset_at_hand(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
) -> None:
    store = PredictionStore(tmp_path / "cache")
    store.get(classifier.folder, bars, Split.TEST)
    labels = (np.array(bars.labels) + 1) % 7
    found = store.load(classifier.folder, replace(bars, labels=labels), Split.TEST)
    assert found is not None
    assert not found.is_right.any()


def test_a_damaged_file_or_model_is_noticed(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path
) -> None:
    store = PredictionStore(tmp_path / "cache")
    store.get(classifier.folder, bars, Split.TEST)
    (kept,) = (tmp_path / "cache" / "predictions").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert store.load(classifier.folder, bars, Split.TEST) is None
    assert len(store.get(classifier.folder, bars, Split.TEST)) == 70
    (classifier.folder / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelLoadError, match=r"model\.onnx"):
        store.get(classifier.folder, bars, Split.TEST)


def test_the_longest_unused_are_forgotten(
    classifier: EmotionClassifier, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_KEPT", 2)
    store = PredictionStore(tmp_path / "cache")
    for split in (Split.TRAIN, Split.VALIDATION):
        store.get(classifier.folder, bars, split)
    for kept in (tmp_path / "cache" / "predictions").iterdir():
        os.utime(kept, (1e9, 1e9))
    assert store.load(classifier.folder, bars, Split.TRAIN) is not None  # which uses it again
    store.get(classifier.folder, bars, Split.TEST)
    assert store.load(classifier.folder, bars, Split.TRAIN) is not None
    assert store.load(classifier.folder, bars, Split.VALIDATION) is None
    assert store.load(classifier.folder, bars, Split.TEST) is not None


def test_a_model_is_read_once_until_it_changes(
    classifier: EmotionClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, read_bytes = [], Path.read_bytes

    def reading(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    first = predictions.fingerprint(classifier.folder)
    assert predictions.fingerprint(classifier.folder) == first
    assert read == ["model.onnx", "contract.json"]
    contract = read_json(classifier.folder / "contract.json")
    write_json(classifier.folder / "contract.json", {**contract, "temperature": 3.0})
    assert predictions.fingerprint(classifier.folder) != first
