"""The map and the neighbours, against scikit-learn and NumPy's correlation."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset import embedding as module
from pipeline.dataset.embedding import MAP_SIDE, nearest, nearest_features, pixel_map


@pytest.fixture
def images() -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (30, 6, 6), np.uint8)
    made = np.stack([cv2.resize(image, (48, 48)) for image in coarse])
    made[7] = 100
    # A copy of 3 in another light.
    made[12] = made[3] // 2 + 40
    return made


@pytest.fixture
def dataset(tmp_path: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr(module, "_IMAGES_AT_ONCE", 8)
    store = DatasetStore(tmp_path)
    with store.writer("faces") as writer:
        writer.append(images, np.zeros(30, np.uint8), np.zeros(30, np.uint8))
        writer.finish(title="Faces", source="test", kind="test")
    return store.open("faces")


def test_map_is_the_principal_components(dataset: Dataset, images: np.ndarray) -> None:
    side = (MAP_SIDE, MAP_SIDE)
    small = np.stack([cv2.resize(image, side, interpolation=cv2.INTER_AREA) for image in images])
    rows = small.reshape(30, -1).astype(float)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    model = PCA(2).fit(rows)
    expected, found = model.transform(rows), pixel_map(dataset)
    for axis in range(2):
        sign = np.sign(expected[0, axis] * found.points[0, axis])
        np.testing.assert_allclose(found.points[:, axis], sign * expected[:, axis], atol=1e-4)
    np.testing.assert_allclose(found.explained, model.explained_variance_ratio_, rtol=1e-4)


def test_nearest_are_the_most_correlated(dataset: Dataset, images: np.ndarray) -> None:
    others, scores = nearest(dataset, 3, 5)
    rows = np.delete(images, 7, axis=0).reshape(29, -1).astype(float)
    correlations = dict(zip(np.delete(np.arange(30), 7), np.corrcoef(rows)[3], strict=True))
    del correlations[3]
    expected = sorted(correlations, key=lambda index: -correlations[index])[:5]
    assert others.tolist() == expected
    assert others[0] == 12
    np.testing.assert_allclose(scores, [correlations[index] for index in expected], atol=1e-3)


def test_a_flat_image_is_like_none_and_not_like_itself(dataset: Dataset) -> None:
    others, scores = nearest(dataset, 7, 3)
    assert 7 not in others
    assert scores.tolist() == [0, 0, 0]


def test_no_more_neighbours_than_there_are(dataset: Dataset) -> None:
    others, _ = nearest(dataset, 0, 100)
    assert sorted(others.tolist()) == list(range(1, 30))


def test_nearest_features_are_those_at_the_smallest_angle() -> None:
    features = np.array([[0, 0], [2, 0], [1, 1], [-1, 0], [0, 3], [5, 5]], np.float32)
    rows, cosines = nearest_features(features, features[2], 4)
    # Their length does not count.
    assert sorted(rows[:2].tolist()) == [2, 5]
    assert sorted(rows[2:].tolist()) == [1, 4]
    np.testing.assert_allclose(cosines, [1, 1, 0.5**0.5, 0.5**0.5], atol=1e-6)
    rows, cosines = nearest_features(features, features[1], 100)
    assert (rows[0], rows[-1], cosines[-1]) == (1, 3, -1)
    assert sorted(rows[3:5].tolist()) == [0, 4]
    assert nearest_features(features, np.zeros(2, np.float32), 1)[1].tolist() == [0]
    assert len(nearest_features(features[:0], features[0], 3)[0]) == 0
