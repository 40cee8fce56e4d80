import numpy as np
import pytest

from pipeline.evaluation.confusion import Order, Shares, class_order, mix_ups, shares


@pytest.fixture
def matrix() -> np.ndarray:
    """Disgust is called angry, sad and neutral are taken for one another, happy is found."""
    found = np.diag([50, 2, 40, 90, 60, 0, 70])
    found[1, 0] = 6
    found[4, 6] = 40
    found[6, 4] = 30
    found[2, 4] = 10
    return found


def test_shares_of_rows_and_of_columns(matrix: np.ndarray) -> None:
    of_true = shares(matrix, Shares.TRUE)
    assert of_true[1].tolist() == [0.75, 0.25, 0, 0, 0, 0, 0]
    assert of_true.sum(axis=1).tolist() == [1, 1, 1, 1, 1, 0, 1]
    of_predicted = shares(matrix, Shares.PREDICTED)
    assert of_predicted[1, 0] == pytest.approx(6 / 56)
    assert of_predicted[:, 4].sum() == pytest.approx(1)


def test_orders(matrix: np.ndarray) -> None:
    assert class_order(matrix, Order.LABELS) == list(range(7))
    # Angry and happy are found always, surprise does not occur.
    assert class_order(matrix, Order.RECALL) == [0, 3, 2, 6, 4, 1, 5]
    similar = class_order(matrix, Order.SIMILAR)
    assert sorted(similar) == list(range(7))
    place = {label: at for at, label in enumerate(similar)}
    assert abs(place[0] - place[1]) == 1
    assert abs(place[4] - place[6]) == 1


def test_pairs_by_share_and_in_their_stronger_way(matrix: np.ndarray) -> None:
    pairs = mix_ups(matrix)
    assert [(pair.first, pair.second) for pair in pairs] == [(1, 0), (4, 6), (2, 4)]
    disgust, sad, fear = pairs
    assert (disgust.forward, disgust.back, disgust.forward_share) == (6, 0, 0.75)
    assert not disgust.is_mutual
    assert (sad.forward_share, sad.back_share) == (0.4, 0.3)
    assert sad.is_mutual
    assert not fear.is_mutual
    assert mix_ups(matrix, most=1) == [disgust]


def test_nothing_is_mixed_up_where_all_is_right() -> None:
    assert mix_ups(np.diag([5] * 7)) == []
