"""Whether a model's probabilities mean what they say, and when it should say "unsure"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError
from pipeline.recognition.classifier import with_temperature
from pipeline.recognition.contract import OperatingPoint

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer]

TEMPERATURES = (0.2, 10.0)
"""Bounds of a fitted temperature.

A model that makes no error on validation would be sharpened without end.
"""

ERRORS_TO_AVOID = 1 / 3
"""Share of the error rate that saying "unsure" is to take away: see `choose_threshold`."""

LEAST_COVERAGE = 0.5
"""Share of the faces that a chosen threshold leaves answered at the least."""


@dataclass(frozen=True)
class Reliability:
    """How often answers of about the same confidence are right.

    Attributes:
        edges: Borders of the equally wide bins of confidence, ascending, shape
            `(num_bins + 1,)`.
        counts: Faces in each bin, shape `(num_bins,)`.
        confidence: Mean confidence in each bin; not-a-number where it is empty.
        accuracy: Share of right answers in each bin; likewise.
    """

    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]


def reliability(probabilities: Probabilities, labels: Labels, *, num_bins: int = 15) -> Reliability:
    """Sorts answers into bins of confidence, for a reliability diagram.

    Args:
        probabilities: Shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
        num_bins: The number of equally wide bins of `[0, 1]`.

    Raises:
        DatasetError: If there is no face, or labels and faces differ in number.
    """
    confidence, right = _answers(probabilities, labels)
    edges = np.linspace(0, 1, num_bins + 1)
    # Bins are open at the left, as in Guo et al. (2017): a confidence of 1 is in the last.
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            edges=edges,
            counts=counts,
            confidence=np.bincount(bins, confidence, num_bins) / counts,
            accuracy=np.bincount(bins, right, num_bins) / counts,
        )


def expected_calibration_error(
    probabilities: Probabilities, labels: Labels, *, num_bins: int = 15
) -> float:
    """How far confidence and accuracy are apart, on average over the faces.

    The expected calibration error of Naeini et al. (2015), with 15 bins as in
    Guo et al. (2017, arXiv:1706.04599).

    Args:
        probabilities: Shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
        num_bins: The number of equally wide bins of `[0, 1]`.

    Returns:
        A number in `[0, 1]`; 0 is best.

    Raises:
        DatasetError: If there is no face, or labels and faces differ in number.
    """
    found = reliability(probabilities, labels, num_bins=num_bins)
    gaps = np.abs(np.nan_to_num(found.confidence - found.accuracy))
    return float((gaps * found.counts).sum() / found.counts.sum())


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature under which the true classes are most likely.

    Temperature scaling (Guo et al. 2017, arXiv:1706.04599), fitted on
    validation by the negative log-likelihood, within `TEMPERATURES`.

    Args:
        probabilities: Uncalibrated, shape `(n, 7)`.
        labels: True classes, shape `(n,)`.

    Returns:
        Above 1 for an overconfident model, below for a timid one.

    Raises:
        DatasetError: If there is no face, or labels and faces differ in number.
    """
    # Here, not above: the dashboard needs this module, but not SciPy's optimisers.
    from scipy.optimize import minimize_scalar

    _answers(probabilities, labels)

    def loss(log_temperature: float) -> float:
        calibrated = with_temperature(probabilities, float(np.exp(log_temperature)))
        return negative_log_likelihood(calibrated, labels)

    bounds = tuple(np.log(TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def negative_log_likelihood(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of `-log p(true class)` in nats; a probability of 0 counts as the least float32.

    Args:
        probabilities: Shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
    """
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())


def coverage_curve(
    probabilities: Probabilities,
    labels: Labels,
    thresholds: npt.NDArray[np.float64] | None = None,
) -> tuple[OperatingPoint, ...]:
    """What each threshold of "unsure" would give.

    Args:
        probabilities: Calibrated, shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
        thresholds: Confidences in `[0, 1]`; 0, 0.05, … 0.95 if `None`.

    Returns:
        One point a threshold, in their order.

    Raises:
        DatasetError: If there is no face, or labels and faces differ in number.
    """
    confidence, right = _answers(probabilities, labels)
    if thresholds is None:
        thresholds = np.round(np.arange(0, 1, 0.05), 2)
    points = []
    for threshold in thresholds:
        answered = confidence >= threshold
        accuracy = float(right[answered].mean()) if answered.any() else None
        points.append(OperatingPoint(float(threshold), float(answered.mean()), accuracy))
    return tuple(points)


def choose_threshold(probabilities: Probabilities, labels: Labels) -> float:
    """The confidence below which a model should say "unsure".

    It is the smallest threshold at which the answered faces are wrong a third
    less often than all faces are: a model that is right 70 % of the time is
    then right 80 % of the time that it answers. Asking for a share of the
    errors, not for a fixed gain, suits weak and strong models alike. At least
    half of the faces stay answered: where that does not reach the goal, the
    threshold is the one that answers half. (Selective classification: El-Yaniv
    and Wiener 2010; Geifman and El-Yaniv 2017, arXiv:1705.08500.)

    Args:
        probabilities: Calibrated, on validation, shape `(n, 7)`.
        labels: True classes, shape `(n,)`.

    Returns:
        A threshold in `[0, 1]`; 0 for a model that makes no error.

    Raises:
        DatasetError: If there is no face, or labels and faces differ in number.
    """
    confidence, right = _answers(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    descending = confidence[order]
    answered = np.arange(1, len(order) + 1)
    accuracy = np.cumsum(right[order]) / answered
    # Equal confidences are answered together: only the last of them is a possible threshold.
    is_last = np.append(descending[1:] < descending[:-1], True)
    is_enough = is_last & (answered >= LEAST_COVERAGE * len(order))
    goal = 1 - (1 - right.mean()) * (1 - ERRORS_TO_AVOID)
    reaching = np.flatnonzero(is_enough & (accuracy >= goal))
    if not reaching.size:
        return float(descending[np.flatnonzero(is_enough)[0]])
    # At the last position everything is answered: no threshold is needed.
    return 0.0 if reaching[-1] == len(order) - 1 else float(descending[reaching[-1]])


def _answers(
    probabilities: Probabilities, labels: Labels
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Confidence of each answer, and whether it is right."""
    if not len(labels) or len(labels) != len(probabilities):
        raise DatasetError(
            f"expected as many labels as faces and at least one, got {len(labels)} labels for "
            f"{len(probabilities)} faces"
        )
    right = probabilities.argmax(axis=1) == labels
    return probabilities.max(axis=1).astype(np.float64), right
