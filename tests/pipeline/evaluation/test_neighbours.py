import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import ModelLoadError
from pipeline.evaluation import neighbours
from pipeline.evaluation.neighbours import FeatureStore, nearest_training
from pipeline.progress import Cancelled
from pipeline.recognition.embedding import ModelEmbedding
from tests.served_models import make_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def test_kept_features_are_those_of_the_training_faces(
    model: Path, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_FACES_AT_ONCE", 50)
    store = FeatureStore(tmp_path / "cache")
    assert store.load(model, bars) is None
    told: list[float] = []
    store.compute(model, bars, progress=lambda done, total, text="": told.append(done))
    assert told == [0, 50, 100, 140]
    kept = store.load(model, bars)
    expected = ModelEmbedding.load(model).features(bars.images[bars.indices(Split.TRAIN)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert kept is not None
    assert kept.dtype == np.float32
    np.testing.assert_allclose(kept, expected, atol=1e-3)


def test_other_data_and_damaged_files_have_none(model: Path, bars: Dataset, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "cache")
    store.compute(model, bars)
    assert store.load(model, replace(bars, meta=replace(bars.meta, fingerprint="f"))) is None
    fewer = replace(bars, split_codes=np.ones(len(bars), np.uint8))
    assert store.load(model, fewer) is None
    path = store.path(model, bars)
    path.write_bytes(path.read_bytes()[:200])
    assert store.load(model, bars) is None


def test_cancelled_or_refused_work_leaves_nothing(
    model: Path, bars: Dataset, tmp_path: Path
) -> None:
    def refuse(done: float, total: float | None, text: str = "") -> None:
        raise Cancelled

    store = FeatureStore(tmp_path / "cache")
    with pytest.raises(Cancelled):
        store.compute(model, bars, progress=refuse)
    (model / "probes.npz").unlink()
    with pytest.raises(ModelLoadError):
        store.compute(model, bars)
    assert not (tmp_path / "cache").exists()


def test_the_longest_unused_are_forgotten(
    model: Path, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "MOST_KEPT", 2)
    store = FeatureStore(tmp_path / "cache")
    data = [replace(bars, meta=replace(bars.meta, fingerprint=name)) for name in "abc"]
    for number, dataset in enumerate(data[:2]):
        store.compute(model, dataset)
        os.utime(store.path(model, dataset), (1e9 + number, 1e9 + number))
    assert store.load(model, data[0]) is not None  # which uses it again
    store.compute(model, data[2])
    assert [store.load(model, dataset) is not None for dataset in data] == [True, False, True]


def test_nearest_leaves_out_the_face_itself(bars: Dataset) -> None:
    train = bars.indices(Split.TRAIN)
    angles = np.linspace(0, 1, len(train), dtype=np.float32)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found, scores = nearest_training(bars, features, int(train[10]), features[10], 2)
    assert sorted(found.tolist()) == [9, 11]
    assert scores == pytest.approx(np.cos(angles[1]), abs=1e-5)
    # A test face is none of them: the one in the same place counts.
    found, scores = nearest_training(bars, features, 250, 3 * features[10], 1)
    assert found.tolist() == [10]
    assert scores == pytest.approx(1)
