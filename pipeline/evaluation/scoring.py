"""From probabilities and true classes to an evaluation report."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError
from pipeline.evaluation.calibration import (
    coverage_curve,
    expected_calibration_error,
    negative_log_likelihood,
)
from pipeline.evaluation.report import (
    ClassScore,
    CleanScore,
    DatasetReference,
    EvaluationReport,
    Interval,
)
from pipeline.labels import NAMES, NUM_EMOTIONS

NUM_RESAMPLES = 10_000
_CLASSES = np.arange(NUM_EMOTIONS)


def score_report(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    *,
    clean_mask: npt.NDArray[np.bool_],
    model: str,
    dataset: DatasetReference,
    split: str,
    tta: str = "none",
    threshold: float = 0.0,
    latency_ms: float | None = None,
    seed: int = 0,
) -> EvaluationReport:
    """Computes every figure of a report.

    Args:
        probabilities: Calibrated, `float32` in `[0, 1]`, shape `(n, 7)`; `n` at
            least 1.
        labels: True classes, shape `(n,)`.
        clean_mask: Whether each image has no exact twin in the train split,
            `bool`, shape `(n,)`.
        model: The model's name.
        dataset: Which data was scored.
        split: The name of the split.
        tta: The test-time augmentation that gave the probabilities.
        threshold: Confidence below which the model says "unsure".
        latency_ms: Measured time for one face, if any.
        seed: Seed of the bootstrap.

    Raises:
        DatasetError: If there is no image, or the arrays' shapes do not fit.
    """
    # Here, not above: the dashboard reads reports and need not wait for scikit-learn.
    from sklearn import metrics

    _check_shapes(probabilities, labels, clean_mask)
    truth = labels.astype(np.int64)
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion_matrix(truth, predicted, labels=_CLASSES)
    accuracy_ci95, macro_f1_ci95 = _bootstrap(matrix, seed)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=_CLASSES, zero_division=0
    )
    (at_threshold,) = coverage_curve(probabilities, truth, np.array([threshold]))
    return EvaluationReport(
        model=model,
        dataset=dataset,
        split=split,
        tta=tta,
        num_samples=len(truth),
        accuracy=float(metrics.accuracy_score(truth, predicted)),
        accuracy_ci95=accuracy_ci95,
        macro_f1=float(metrics.f1_score(truth, predicted, average="macro", zero_division=0)),
        macro_f1_ci95=macro_f1_ci95,
        # `balanced_accuracy_score`, without its warning when a class is absent.
        balanced_accuracy=float(recall[support > 0].mean()),
        top2_accuracy=float(
            metrics.top_k_accuracy_score(truth, probabilities, k=2, labels=_CLASSES)
        ),
        clean=_clean_score(
            metrics.confusion_matrix(truth[clean_mask], predicted[clean_mask], labels=_CLASSES)
            if clean_mask.any()
            else np.zeros_like(matrix),
            seed,
        ),
        per_class={
            name: ClassScore(float(precision[k]), float(recall[k]), float(f1[k]), int(support[k]))
            for k, name in enumerate(NAMES)
        },
        confusion_matrix=tuple(tuple(int(count) for count in row) for row in matrix),
        ece=expected_calibration_error(probabilities, truth),
        nll=negative_log_likelihood(probabilities, truth),
        threshold=threshold,
        coverage=at_threshold.coverage,
        answered_accuracy=at_threshold.accuracy,
        latency_ms=latency_ms,
    )


def _clean_score(matrix: npt.NDArray[np.int64], seed: int) -> CleanScore:
    num_samples = int(matrix.sum())
    if not num_samples:
        return CleanScore(0, None, None)
    interval, _ = _bootstrap(matrix, seed)
    return CleanScore(num_samples, float(np.trace(matrix) / num_samples), interval)


def _bootstrap(matrix: npt.NDArray[np.int64], seed: int) -> tuple[Interval, Interval]:
    """The 95 % percentile bootstrap intervals (Efron 1979) of accuracy and macro-F1.

    Both figures depend on the confusion matrix alone, and drawing `n` images
    with replacement draws its cells from a multinomial: the same bootstrap,
    without ten thousand copies of the labels.
    """
    num_samples = int(matrix.sum())
    drawn = np.random.default_rng(seed).multinomial(
        num_samples, matrix.ravel() / num_samples, size=NUM_RESAMPLES
    )
    drawn = drawn.reshape(-1, NUM_EMOTIONS, NUM_EMOTIONS)
    right = np.trace(drawn, axis1=1, axis2=2) / num_samples
    # F1 is 2·hits / (true + predicted); classes that do not occur do not count.
    occurring = drawn.sum(axis=1) + drawn.sum(axis=2)
    hits = np.diagonal(drawn, axis1=1, axis2=2)
    f1 = np.divide(2 * hits, occurring, out=np.zeros(hits.shape), where=occurring > 0)
    macro_f1 = f1.sum(axis=1) / (occurring > 0).sum(axis=1)
    return _interval(right), _interval(macro_f1)


def _interval(values: npt.NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _check_shapes(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    clean_mask: npt.NDArray[np.bool_],
) -> None:
    num_samples = len(labels)
    if not num_samples:
        raise DatasetError("expected at least one image to score, got none")
    if probabilities.shape != (num_samples, NUM_EMOTIONS) or clean_mask.shape != (num_samples,):
        raise DatasetError(
            f"expected scores of shape ({num_samples}, {NUM_EMOTIONS}) and a mask of "
            f"({num_samples},) for {num_samples} labels, got {probabilities.shape} and "
            f"{clean_mask.shape}"
        )
