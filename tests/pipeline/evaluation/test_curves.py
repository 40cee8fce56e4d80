import numpy as np
import pytest
from sklearn import metrics

from pipeline.evaluation.curves import (
    Curve,
    one_against_rest,
    score_histogram,
    thinned,
)


def of_class(scores: list[float], label: int = 3) -> np.ndarray:
    """Probabilities of which those of one class are given; the rest is spread evenly."""
    given = np.array(scores, np.float32)
    found = np.repeat((1 - given[:, None]) / 6, 7, axis=1)
    found[:, label] = given
    return found


class TestOneAgainstRest:
    def test_by_hand(self) -> None:
        # From the most certain down: hit, alarm, hit, alarm.
        found = one_against_rest(of_class([0.9, 0.8, 0.7, 0.1]), np.array([3, 0, 3, 1]), 3)
        assert found is not None
        # Of the four pairs of an own and another image, three are in the right order.
        assert found.roc.area == pytest.approx(3 / 4)
        # Precision at the two hits: 1 of 1, and 2 of 3.
        assert found.precision_recall.area == pytest.approx((1 + 2 / 3) / 2)
        assert found.prevalence == 0.5
        assert (found.roc.x[0], found.roc.y[0]) == (0, 0)
        assert (found.roc.x[-1], found.roc.y[-1]) == (1, 1)
        assert (np.diff(found.precision_recall.x) >= 0).all()
        assert (found.precision_recall.x[0], found.precision_recall.y[0]) == (0, 1)

    def test_as_scikit_learn_has_it(self) -> None:
        rng = np.random.default_rng(0)
        probabilities = rng.dirichlet(np.ones(7), 400).astype(np.float32)
        labels = rng.integers(0, 7, 400)
        for label in range(7):
            found = one_against_rest(probabilities, labels, label)
            own = labels == label
            assert found is not None
            assert found.roc.area == pytest.approx(
                metrics.roc_auc_score(own, probabilities[:, label])
            )
            assert found.precision_recall.area == pytest.approx(
                metrics.average_precision_score(own, probabilities[:, label])
            )

    def test_a_class_that_none_or_all_are_of_has_no_curve(self) -> None:
        scores = of_class([0.2, 0.9])
        assert one_against_rest(scores, np.array([0, 1]), 3) is None
        assert one_against_rest(scores, np.array([3, 3]), 3) is None


class TestThinned:
    def test_keeps_the_ends_and_the_way(self) -> None:
        x = np.linspace(0, 1, 5000)
        curve = Curve(x, np.sqrt(x), 2 / 3)
        few = thinned(curve, 50)
        assert len(few.x) <= 50
        assert (few.x[0], few.y[0], few.x[-1], few.y[-1]) == (0, 0, 1, 1)
        assert few.area == curve.area
        drawn = np.interp(x, few.x, few.y)
        # A steep beginning gets its points too.
        assert np.abs(drawn - curve.y).max() < 0.03

    def test_a_short_curve_stays(self) -> None:
        curve = Curve(np.array([0.0, 1]), np.array([0.0, 1]), 0.5)
        assert thinned(curve) is curve


class TestScoreHistogram:
    def test_shares_of_each_group(self) -> None:
        found = score_histogram(
            of_class([0.95, 1.0, 0.05, 0.05]), np.array([3, 3, 3, 0]), 3, num_bins=10
        )
        assert found.own.tolist() == pytest.approx([1 / 3] + [0] * 8 + [2 / 3])
        assert found.others.tolist() == [1] + [0] * 9

    def test_a_class_without_images(self) -> None:
        found = score_histogram(of_class([0.5]), np.array([0]), 3)
        assert not found.own.any()
        assert found.others.sum() == 1
