from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import ConfigError
from pipeline.training.targets import (
    class_weights,
    labels_given_votes,
    stratified_subset,
    targets,
)

LABELS = np.repeat(np.arange(7, dtype=np.uint8), [40, 4, 40, 70, 50, 30, 50])


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    store = DatasetStore(tmp_path)
    with store.writer("tiny") as writer:
        writer.append(
            np.zeros((3, 48, 48), np.uint8), np.array([0, 3, 6], np.uint8), np.zeros(3, np.uint8)
        )
        writer.finish(title="Tiny", source="test", kind="test")
    return store.open("tiny")


def test_hard_targets_are_one_hot(dataset: Dataset) -> None:
    result = targets(dataset, np.array([1, 2]))
    np.testing.assert_array_equal(result.argmax(axis=1), [3, 6])
    np.testing.assert_array_equal(result.sum(axis=1), 1)


def test_soft_targets_blend_votes_and_keep_the_label_without_any(
    dataset: Dataset, tmp_path: Path
) -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, [4, 5]] = 5  # anger and disgust
    votes[1, 9] = 10  # not a face: no usable vote
    voted = DatasetStore(tmp_path).attach_votes("tiny", votes, "votes.csv")
    result = targets(voted, np.array([0, 1]), soft_labels=0.5)
    np.testing.assert_allclose(result[0], [0.75, 0.25, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(result[1], np.eye(7)[3])


def test_fitted_votes_mean_what_labels_go_with_them() -> None:
    # Half of the faces that all ten people call neutral are labelled sad (5), half neutral (6);
    # votes for surprise mean surprise (3).
    votes = np.zeros((301, 10), np.uint8)
    votes[:200, 0] = 10
    votes[200:300, 2] = 10
    labels = np.array([5, 6] * 100 + [3] * 101, np.uint8)
    soft, usable = labels_given_votes(votes, labels)
    np.testing.assert_array_equal(usable, [True] * 300 + [False])
    np.testing.assert_allclose(soft[:200, [5, 6]], 0.5, atol=0.02)
    assert (soft[200:300, 3] > 0.98).all()
    np.testing.assert_allclose(soft[:300].sum(axis=1), 1, atol=1e-5)
    assert not soft[300].any()


def test_fitted_targets_blend_with_the_label(dataset: Dataset, tmp_path: Path) -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[:2, 0] = 10  # two faces with the same votes, labelled 0 and 3
    voted = DatasetStore(tmp_path).attach_votes("tiny", votes, "votes.csv")
    result = targets(voted, np.arange(3), soft_labels=0.5, vote_targets="fitted")
    np.testing.assert_allclose(result[0, [0, 3]], [0.75, 0.25], atol=0.01)
    np.testing.assert_array_equal(result[2], np.eye(7)[6])


def test_votes_that_go_with_one_label_only_have_nothing_to_fit() -> None:
    soft, usable = labels_given_votes(np.ones((4, 10), np.uint8), np.full(4, 3, np.uint8))
    assert not usable.any()
    assert not soft.any()


def test_soft_targets_need_votes(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match="has none: attach them"):
        targets(dataset, np.array([0]), soft_labels=0.5)


def test_weights_average_to_one_and_favour_rare_classes() -> None:
    np.testing.assert_array_equal(class_weights(LABELS, "none"), 1)
    for scheme in ("balanced", "effective"):
        weights = class_weights(LABELS, scheme)
        assert weights[LABELS].mean() == pytest.approx(1, abs=1e-5)
        assert weights.argmax() == 1
        assert weights.argmin() == 3
    balanced = class_weights(LABELS, "balanced")
    np.testing.assert_allclose(balanced, 284 / (7 * np.bincount(LABELS)), rtol=1e-5)


def test_absent_class_gets_no_weight() -> None:
    for scheme in ("balanced", "effective"):
        weights = class_weights(np.array([0, 0, 3], np.uint8), scheme)
        assert (weights[[1, 2, 4, 5, 6]] == 0).all()
        assert np.isfinite(weights).all()


def test_subset_keeps_proportions_and_grows() -> None:
    indices = np.arange(0, len(LABELS), 1)
    half = stratified_subset(LABELS, indices, 0.5, seed=3)
    np.testing.assert_array_equal(np.bincount(LABELS[half]), [20, 2, 20, 35, 25, 15, 25])
    tenth = stratified_subset(LABELS, indices, 0.1, seed=3)
    assert set(tenth) < set(half)
    assert np.bincount(LABELS[tenth]).min() == 1
    assert (stratified_subset(LABELS, indices, 1.0, seed=3) == indices).all()
    assert (np.diff(half) > 0).all()
