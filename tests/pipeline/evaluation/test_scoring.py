from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from pipeline.errors import DatasetError
from pipeline.evaluation import DatasetReference, EvaluationReport, score_report
from pipeline.labels import NAMES
from tests.served_models import softmax

DATASET = DatasetReference("bars", "0", synthetic=False)


def report_of(probabilities: np.ndarray, labels: np.ndarray, **options: Any) -> EvaluationReport:
    options.setdefault("clean_mask", np.ones(len(labels), bool))
    return score_report(probabilities, labels, model="m", dataset=DATASET, split="test", **options)


def one_hot(predicted: list[int]) -> np.ndarray:
    """Sure answers, with class 5 (or 0) as a distant second."""
    probabilities = np.zeros((len(predicted), 7), np.float32)
    for row, label in zip(probabilities, predicted, strict=True):
        row[label] = 0.8
        row[5 if label != 5 else 0] = 0.2
    return probabilities


@pytest.fixture
def noisy() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = rng.choice(7, 900, p=[0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17]).astype(np.uint8)
    logits = rng.normal(0, 1, (900, 7)) + 1.5 * np.eye(7)[labels]
    return softmax(logits), labels


def test_small_case_worked_by_hand() -> None:
    labels = np.array([0, 0, 0, 3, 3, 6])
    report = report_of(
        one_hot([0, 0, 3, 3, 5, 6]), labels, clean_mask=np.array([1, 0, 1, 1, 0, 1], bool)
    )
    assert report.num_samples == 6
    assert report.accuracy == pytest.approx(4 / 6)
    # Recall 2/3, 1/2 and 1 over the three classes that occur.
    assert report.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    # F1 0.8, 0.5, 1 and, for surprise, answered once in error, 0.
    assert report.macro_f1 == pytest.approx((0.8 + 0.5 + 1 + 0) / 4)
    assert report.top2_accuracy == pytest.approx(4 / 6)
    assert (report.clean.num_samples, report.clean.accuracy) == (4, 0.75)
    assert report.per_class["angry"].precision == 1
    assert report.per_class["angry"].recall == pytest.approx(2 / 3)
    assert report.per_class["angry"].support == 3
    assert report.per_class["disgust"].support == 0
    assert report.confusion_matrix[0] == (2, 0, 0, 1, 0, 0, 0)
    assert report.confusion_matrix[3] == (0, 0, 0, 1, 0, 1, 0)
    assert report.labels == NAMES
    assert report.ece == pytest.approx(0.8 - 4 / 6, abs=1e-6)


def test_figures_agree_with_scikit_learn(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = noisy
    predicted = probabilities.argmax(axis=1)
    report = report_of(probabilities, labels)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert report.macro_f1 == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert report.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(labels, predicted)
    )
    exact = probabilities / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    assert report.nll == pytest.approx(metrics.log_loss(labels, exact), rel=1e-5)
    best_two = np.argsort(probabilities, axis=1)[:, -2:]
    assert report.top2_accuracy == pytest.approx((best_two == labels[:, None]).any(axis=1).mean())
    np.testing.assert_array_equal(
        report.confusion_matrix, metrics.confusion_matrix(labels, predicted)
    )


def test_intervals_are_those_of_drawing_images_with_replacement(
    noisy: tuple[np.ndarray, np.ndarray],
) -> None:
    probabilities, labels = noisy
    predicted = probabilities.argmax(axis=1)
    rng = np.random.default_rng(1)
    accuracies, scores = [], []
    for _ in range(800):
        drawn = rng.integers(0, len(labels), len(labels))
        accuracies.append((labels[drawn] == predicted[drawn]).mean())
        scores.append(metrics.f1_score(labels[drawn], predicted[drawn], average="macro"))
    report = report_of(probabilities, labels)
    expected = np.percentile(accuracies, (2.5, 97.5))
    np.testing.assert_allclose(report.accuracy_ci95, expected, atol=0.005)
    np.testing.assert_allclose(report.macro_f1_ci95, np.percentile(scores, (2.5, 97.5)), atol=0.008)
    assert report.accuracy_ci95[0] < report.accuracy < report.accuracy_ci95[1]


def test_seed_decides_the_intervals(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    assert report_of(*noisy, seed=1) == report_of(*noisy, seed=1)
    assert report_of(*noisy, seed=1) != report_of(*noisy, seed=2)


def test_clean_figures_leave_the_twins_out(noisy: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = noisy
    mask = np.arange(900) % 3 > 0
    alone = report_of(probabilities[mask], labels[mask])
    clean = report_of(probabilities, labels, clean_mask=mask).clean
    assert (clean.num_samples, clean.accuracy) == (600, alone.accuracy)
    assert clean.accuracy_ci95 == alone.accuracy_ci95
    nothing = report_of(probabilities, labels, clean_mask=np.zeros(900, bool)).clean
    assert (nothing.num_samples, nothing.accuracy, nothing.accuracy_ci95) == (0, None, None)


def test_threshold_divides_answers_from_unsure() -> None:
    probabilities = one_hot([0, 0, 0, 0])
    probabilities[2:] = 1 / 7
    report = report_of(probabilities, np.array([0, 1, 0, 0]), threshold=0.5)
    assert (report.threshold, report.coverage, report.answered_accuracy) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("num_scores", "num_labels", "num_mask", "message"),
    [(0, 0, 0, "at least one image"), (3, 2, 2, "for 2 labels"), (2, 2, 3, "for 2 labels")],
)
def test_arrays_that_do_not_fit_are_refused(
    num_scores: int, num_labels: int, num_mask: int, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        report_of(
            one_hot([0] * num_scores),
            np.zeros(num_labels, int),
            clean_mask=np.ones(num_mask, bool),
        )
