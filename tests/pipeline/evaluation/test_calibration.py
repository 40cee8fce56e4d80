import numpy as np
import pytest

from pipeline.errors import DatasetError
from pipeline.evaluation.calibration import (
    TEMPERATURES,
    choose_threshold,
    coverage_curve,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from pipeline.recognition.classifier import with_temperature
from tests.served_models import softmax


def answers(confidences: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with these confidences, all for class 0, and labels right or wrong."""
    probabilities = np.array([[c, *[(1 - c) / 6] * 6] for c in confidences], np.float32)
    return probabilities, np.where(right, 0, 1)


def test_calibration_error_of_a_case_worked_by_hand() -> None:
    # Two bins of (0.5, 1] out of ten: 0.9 claimed, half right; 0.6 claimed, all right.
    probabilities, labels = answers([0.9, 0.9, 0.6, 0.6], [True, False, True, True])
    found = expected_calibration_error(probabilities, labels, num_bins=10)
    assert found == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_reliability_counts_each_face_once_and_leaves_empty_bins_open() -> None:
    probabilities, labels = answers([1.0, 0.95, 0.5, 0.45], [True, False, True, False])
    found = reliability(probabilities, labels, num_bins=2)
    np.testing.assert_array_equal(found.counts, [2, 2])
    np.testing.assert_allclose(found.accuracy, [0.5, 0.5])
    np.testing.assert_allclose(found.confidence, [0.475, 0.975], atol=1e-6)
    sparse = reliability(probabilities, labels, num_bins=10)
    assert sparse.counts.sum() == 4
    assert np.isnan(sparse.accuracy[0])
    assert sparse.counts[-1] == 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_of_a_model_made_too_sure_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    honest = softmax(rng.normal(0, 2, (20_000, 7)))
    labels = (honest.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1).clip(max=6)
    overconfident = with_temperature(honest, 1 / temperature)
    found = fit_temperature(overconfident, labels)
    assert found == pytest.approx(temperature, rel=0.03)
    calibrated = with_temperature(overconfident, found)
    assert expected_calibration_error(calibrated, labels) < 0.012


def test_faultless_model_gets_a_bounded_temperature() -> None:
    probabilities, labels = answers([0.9] * 10, [True] * 10)
    assert TEMPERATURES[0] <= fit_temperature(probabilities, labels) < 1.1 * TEMPERATURES[0]


def test_likelihood_of_an_impossible_truth_is_finite() -> None:
    probabilities, labels = answers([1.0, 0.5], [False, True])
    expected = -(np.log(np.finfo(np.float32).tiny) + np.log(0.5)) / 2
    assert negative_log_likelihood(probabilities, labels) == pytest.approx(expected)


def test_coverage_curve_of_a_case_worked_by_hand() -> None:
    probabilities, labels = answers([0.9, 0.8, 0.6, 0.4], [True, True, False, True])
    low, middle, edge, high = coverage_curve(probabilities, labels, np.array([0, 0.7, 0.4, 0.99]))
    assert (low.coverage, low.accuracy) == (1.0, 0.75)
    assert (middle.coverage, middle.accuracy) == (0.5, 1.0)
    assert (edge.coverage, edge.accuracy) == (1.0, 0.75)
    assert (high.coverage, high.accuracy) == (0.0, None)
    thresholds = [point.threshold for point in coverage_curve(probabilities, labels)]
    assert thresholds == sorted(thresholds)
    assert (thresholds[0], thresholds[-1]) == (0.0, 0.95)


def test_threshold_is_the_smallest_that_avoids_a_third_of_the_errors() -> None:
    # Ten faces, three errors: 30 % wrong, so at most 20 % wrong among the answered.
    confidences = [0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4]
    right = [True, True, True, True, False, True, True, True, False, False]
    probabilities, labels = answers(confidences, right)
    threshold = choose_threshold(probabilities, labels)
    # Answering 8 leaves 1 error in 8; answering 9 leaves 2 in 9, which is too many.
    assert threshold == pytest.approx(0.6)
    (point,) = coverage_curve(probabilities, labels, np.array([threshold]))
    assert (point.coverage, point.accuracy) == (0.8, 0.875)


def test_faces_of_equal_confidence_are_answered_together() -> None:
    probabilities, labels = answers([0.9, 0.9, 0.5, 0.5], [True, True, True, False])
    assert choose_threshold(probabilities, labels) == pytest.approx(0.9)
    probabilities, labels = answers([0.9, 0.6, 0.6, 0.6], [True, True, False, False])
    # Half of the faces must be answered, and the 0.6 come together: all are.
    assert choose_threshold(probabilities, labels) == pytest.approx(0.6)


def test_half_of_the_faces_stay_answered_when_confidence_is_worthless() -> None:
    probabilities, labels = answers(
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [False, False, False, True, True, True]
    )
    assert choose_threshold(probabilities, labels) == pytest.approx(0.7)


def test_faultless_model_is_never_unsure() -> None:
    assert choose_threshold(*answers([0.9, 0.3], [True, True])) == 0.0


@pytest.mark.parametrize(
    "function", [reliability, fit_temperature, coverage_curve, choose_threshold]
)
def test_nothing_to_judge_is_refused(function) -> None:
    with pytest.raises(DatasetError, match="got 0 labels for 0 faces"):
        function(np.empty((0, 7), np.float32), np.empty(0, int))
    with pytest.raises(DatasetError, match="got 3 labels for 2 faces"):
        function(np.full((2, 7), 1 / 7, np.float32), np.zeros(3, int))
