import json

import numpy as np
import pytest
from sklearn import metrics

from pipeline.dataset import Split
from pipeline.errors import DatasetError
from pipeline.evaluation.comparison import compare, flips, pareto_front
from pipeline.evaluation.predictions import Predictions


def answers(
    labels: list[int] | np.ndarray, predicted: list[int] | np.ndarray, certainty: float = 0.9
) -> Predictions:
    """Predictions that name these classes, each with the same probability."""
    probabilities = np.full((len(labels), 7), (1 - certainty) / 6, np.float32)
    probabilities[np.arange(len(labels)), predicted] = certainty
    truth = np.asarray(labels, np.uint8)
    places = np.arange(100, 100 + len(labels))
    return Predictions("m", Split.VALIDATION, "none", places, truth, probabilities, 1.0)


@pytest.fixture
def noisy() -> dict[str, Predictions]:
    """Three models of 1,200 faces: right on 60 %, 61 % and 75 % of them."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 7, 1200)
    luck = rng.random(1200)
    wrong = (labels + rng.integers(1, 7, 1200)) % 7
    return {
        name: answers(labels, np.where((luck + shift) % 1 < share, labels, wrong))
        for name, share, shift in (("a", 0.6, 0.0), ("b", 0.61, 0.3), ("c", 0.75, 0.0))
    }


def mean_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    hits = np.bincount(labels[labels == predicted], minlength=7)
    return float((2 * hits / (np.bincount(labels) + np.bincount(predicted))).mean())


def test_figures_are_those_of_scikit_learn(noisy: dict[str, Predictions]) -> None:
    (pair, _) = compare(noisy, "a").pairs
    labels = noisy["a"].labels
    for difference, score in (
        (pair.accuracy, metrics.accuracy_score),
        (pair.macro_f1, lambda *given: metrics.f1_score(*given, average="macro")),
        (pair.balanced_accuracy, metrics.balanced_accuracy_score),
    ):
        assert difference.baseline == pytest.approx(score(labels, noisy["a"].predicted))
        assert difference.other == pytest.approx(score(labels, noisy["b"].predicted))
        assert difference.delta == pytest.approx(difference.other - difference.baseline)
    recall = metrics.recall_score(labels, noisy["b"].predicted, average=None)
    f1 = metrics.f1_score(labels, noisy["b"].predicted, average=None)
    assert [item.recall.other for item in pair.per_class.values()] == pytest.approx(list(recall))
    assert [item.f1.other for item in pair.per_class.values()] == pytest.approx(list(f1))


def test_intervals_are_those_of_drawing_the_images_themselves(
    noisy: dict[str, Predictions],
) -> None:
    (pair, _) = compare(noisy, "a").pairs
    labels, first, other = noisy["a"].labels, noisy["a"].predicted, noisy["b"].predicted
    rng = np.random.default_rng(1)
    accuracy, macro_f1, recall = [], [], []
    for _ in range(2000):
        drawn = rng.integers(0, len(labels), len(labels))
        truth, ours, theirs = labels[drawn], first[drawn], other[drawn]
        accuracy.append((theirs == truth).mean() - (ours == truth).mean())
        macro_f1.append(mean_f1(truth, theirs) - mean_f1(truth, ours))
        happy = truth == 3
        recall.append((theirs[happy] == 3).mean() - (ours[happy] == 3).mean())
    for difference, values in (
        (pair.accuracy, accuracy),
        (pair.macro_f1, macro_f1),
        (pair.per_class["happy"].recall, recall),
    ):
        assert difference.ci95 == pytest.approx(np.percentile(values, (2.5, 97.5)), abs=0.006)


def test_pairing_makes_the_interval_narrow() -> None:
    # Two models that agree on all but ten of a thousand images, right on about half.
    labels = np.arange(1000) % 7
    first = np.where(np.arange(1000) < 500, labels, (labels + 1) % 7)
    other = np.where(np.arange(1000) < 510, labels, (labels + 1) % 7)
    (pair,) = compare({"a": answers(labels, first), "b": answers(labels, other)}, "a").pairs
    assert pair.accuracy.delta == pytest.approx(0.01)
    # By the binomial of ten images; unpaired it would reach from -0.034 to 0.054.
    assert pair.accuracy.ci95 == pytest.approx((0.004, 0.017), abs=0.001)


def test_verdicts_and_corrections(noisy: dict[str, Predictions]) -> None:
    found = compare(noisy, "a")
    near, far = found.pairs
    assert (near.verdict, far.verdict) == ("no significant difference", "better")
    assert far.p_adjusted == pytest.approx(2 * far.mcnemar.p_value)
    back = {pair.other: pair for pair in compare(noisy, "c").pairs}
    assert back["a"].verdict == "worse"
    assert back["a"].accuracy.delta == -far.accuracy.delta
    raw = sorted(item.mcnemar.p_value for pair in found.pairs for item in pair.per_class.values())
    adjusted = [item.p_adjusted for pair in found.pairs for item in pair.per_class.values()]
    assert min(adjusted) == pytest.approx(min(1.0, 14 * raw[0]))


def test_a_model_and_itself_do_not_differ() -> None:
    model = answers([0, 1, 2, 3], [0, 1, 2, 4])
    (pair,) = compare({"a": model, "b": model}, "a").pairs
    assert pair.accuracy.delta == 0
    assert pair.accuracy.ci95 == (0.0, 0.0)
    assert (pair.mcnemar.p_value, pair.verdict) == (1.0, "no significant difference")


def test_clean_accuracy_leaves_twins_out() -> None:
    labels = [0, 1, 2, 3]
    both = {"a": answers(labels, [0, 1, 2, 4]), "b": answers(labels, [0, 4, 2, 3])}
    (pair,) = compare(both, "a", clean_mask=np.array([True, False, True, True])).pairs
    assert pair.accuracy.delta == 0
    assert pair.clean_accuracy is not None
    assert (pair.clean_accuracy.baseline, pair.clean_accuracy.other) == (2 / 3, 1.0)
    found = compare(both, "a", clean_mask=np.zeros(4, bool))
    assert found.num_clean == 0
    assert found.pairs[0].clean_accuracy is None


def test_classes_that_do_not_occur_are_left_out_and_json_holds_the_rest() -> None:
    both = {"a": answers([0, 0, 3], [0, 5, 3]), "b": answers([0, 0, 3], [0, 0, 3])}
    found = compare(both, "a")
    assert list(found.pairs[0].per_class) == ["angry", "happy"]
    # As scikit-learn counts them: surprise was answered, so it has an F1 of 0.
    assert found.pairs[0].macro_f1.baseline == pytest.approx((2 / 3 + 1 + 0) / 3)
    value = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert value["pairs"][0]["verdict"] == "no significant difference"


def test_flips_are_ordered_by_how_much_changed() -> None:
    labels = [0, 1, 2, 3, 4]
    first = answers(labels, [0, 1, 0, 0, 4])
    other = answers(labels, [0, 5, 2, 3, 0])
    other.probabilities[3] = np.eye(7)[3]
    found = flips(first, other)
    assert found.fixed.tolist() == [3, 2]
    assert sorted(found.broken.tolist()) == [1, 4]


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({}, "got one"),
        ({"b": answers([0, 1], [0, 1])}, "different images"),
        ({"b": answers([0, 1, 2], [0, 1, 2])}, "different images"),
    ],
)
def test_refuses_what_cannot_be_compared(others: dict[str, Predictions], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        compare({"a": answers([0, 1, 3], [0, 1, 3]), **others}, "a")


def test_baseline_must_be_there() -> None:
    with pytest.raises(DatasetError, match="none of a"):
        compare({"a": answers([0], [0])}, "gone")


def test_pareto_front_by_hand() -> None:
    costs, values = [3, 1, 2, 2, 5], [0.7, 0.5, 0.6, 0.4, 0.7]
    assert pareto_front(costs, values) == [1, 2, 0]
    assert pareto_front([1, 1], [0.5, 0.5]) == [0, 1]
    assert pareto_front([], []) == []
