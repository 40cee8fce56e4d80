"""One class against the rest: how well its probability tells its images from all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

NUM_BINS = 20
MOST_POINTS = 200


@dataclass(frozen=True)
class Curve:
    """A curve in the unit square.

    Attributes:
        x: Shape `(k,)`.
        y: Shape `(k,)`.
        area: The figure that sums it up, in `[0, 1]`.
    """

    x: Values
    y: Values
    area: float


@dataclass(frozen=True)
class OneAgainstRest:
    """How a class's probability tells its images from the others.

    Attributes:
        roc: The share of its images that is found (`y`) against the share of the
            others that is taken for it (`x`), at every threshold; its area is
            the chance that an image of the class scores above one of another.
        precision_recall: Precision (`y`) against recall (`x`); its area is the
            average precision, to be held against `prevalence`.
        prevalence: The share of the images that are of the class, which is the
            precision of a guess.
    """

    roc: Curve
    precision_recall: Curve
    prevalence: float


@dataclass(frozen=True)
class ScoreHistogram:
    """Which probabilities a class gets on its own images and on all others.

    Attributes:
        edges: Borders of the equally wide bins of `[0, 1]`, ascending.
        own: The share of the class's images in each bin; all 0 if there is none.
        others: The share of the other images in each bin; likewise.
    """

    edges: Values
    own: Values
    others: Values


def one_against_rest(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.integer], label: int
) -> OneAgainstRest | None:
    """The curves of one class.

    Args:
        probabilities: In `[0, 1]`, shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
        label: The class, an index into `labels.EMOTIONS`.

    Returns:
        The curves, the ROC without the points within a straight stretch; `None`
        if no image, or each, is of the class.
    """
    # Here, not above: the dashboard need not wait for scikit-learn before it shows a curve.
    from sklearn import metrics

    own, scores = labels == label, probabilities[:, label]
    if not own.any() or own.all():
        return None
    false_positives, true_positives, _ = metrics.roc_curve(own, scores)
    precision, recall, _ = metrics.precision_recall_curve(own, scores)
    return OneAgainstRest(
        roc=Curve(
            false_positives, true_positives, float(metrics.auc(false_positives, true_positives))
        ),
        precision_recall=Curve(
            # Rising, as people read it.
            recall[::-1],
            precision[::-1],
            float(metrics.average_precision_score(own, scores)),
        ),
        prevalence=float(own.mean()),
    )


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """The curve with fewer points, spread evenly along its way; the ends stay.

    Args:
        curve: Any.
        most: How many points are left at the most; 2 or more.
    """
    if len(curve.x) <= most:
        return curve
    steps = np.abs(np.diff(curve.x)) + np.abs(np.diff(curve.y))
    way = np.concatenate([[0.0], np.cumsum(steps)])
    chosen = np.searchsorted(way, np.linspace(0, way[-1], most))
    chosen[0], chosen[-1] = 0, len(way) - 1
    chosen = np.unique(chosen)
    return Curve(curve.x[chosen], curve.y[chosen], curve.area)


def score_histogram(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    label: int,
    *,
    num_bins: int = NUM_BINS,
) -> ScoreHistogram:
    """The distribution of a class's probability.

    Args:
        probabilities: In `[0, 1]`, shape `(n, 7)`.
        labels: True classes, shape `(n,)`.
        label: The class, an index into `labels.EMOTIONS`.
        num_bins: The number of bins.
    """
    own, scores = labels == label, probabilities[:, label]
    edges = np.linspace(0, 1, num_bins + 1)
    shares = [
        np.histogram(part, edges)[0] / max(len(part), 1) for part in (scores[own], scores[~own])
    ]
    return ScoreHistogram(edges, *shares)
