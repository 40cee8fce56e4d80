"""The paired bootstrap: how sure a difference between two models on the same images is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.predictions import Predictions
from pipeline.evaluation.report import Interval
from pipeline.evaluation.scoring import NUM_RESAMPLES
from pipeline.labels import NUM_EMOTIONS

Figures = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Difference:
    """How one figure differs between two models.

    Attributes:
        baseline: The figure of the baseline, in `[0, 1]`.
        other: That of the other model.
        delta: `other - baseline`, in `[-1, 1]`.
        ci95: The 95 % interval of `delta`: percentile bootstrap (Efron 1979)
            over the images, each drawn with the answers of both.
    """

    baseline: float
    other: float
    delta: float
    ci95: Interval


def differences(
    first: Predictions,
    other: Predictions,
    mask: npt.NDArray[np.bool_] | None = None,
    *,
    seed: int = 0,
) -> dict[str, list[Difference]]:
    """How every figure differs between two models, with its interval.

    All figures depend on how often each combination of label and two answers
    occurs, and drawing `n` images with replacement draws these counts from a
    multinomial: the same bootstrap, without ten thousand copies of the answers.

    Args:
        first: The baseline's answers.
        other: The other model's, to the same images in the same order.
        mask: The images that count, `bool`, shape `(n,)`, one or more of them;
            `None`: all.
        seed: Seed of the bootstrap.

    Returns:
        `accuracy`, `macro_f1` and `balanced_accuracy`, a list of one each;
        `recall` and `f1`, one for each class, not-a-number where a class does
        not occur.
    """
    mask = np.ones(len(first), bool) if mask is None else mask
    combined = np.ravel_multi_index(
        (first.labels[mask], first.predicted[mask], other.predicted[mask]), (NUM_EMOTIONS,) * 3
    )
    kinds, counts = np.unique(combined, return_counts=True)
    label, answer, other_answer = np.unravel_index(kinds, (NUM_EMOTIONS,) * 3)
    size = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(size, counts / size, size=NUM_RESAMPLES)
    # The first row is what was observed; floats, because their product is many times faster.
    rows = np.vstack([counts, drawn]).astype(np.float64)
    ours, theirs = (_figures(_matrices(rows, label, given)) for given in (answer, other_answer))
    return {name: _by_column(ours[name], theirs[name]) for name in ours}


def _matrices(
    rows: npt.NDArray[np.float64], label: npt.NDArray[np.intp], answer: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Confusion matrices, shape `(m, 7, 7)`, of counts by combination, shape `(m, k)`."""
    cells = np.zeros((rows.shape[1], NUM_EMOTIONS * NUM_EMOTIONS))
    cells[np.arange(rows.shape[1]), label * NUM_EMOTIONS + answer] = 1
    return (rows @ cells).reshape(-1, NUM_EMOTIONS, NUM_EMOTIONS)


def _figures(matrices: npt.NDArray[np.float64]) -> Figures:
    """Figures of confusion matrices, not-a-number where a class does not occur."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    true, answered = matrices.sum(axis=2), matrices.sum(axis=1)
    with np.errstate(invalid="ignore"):
        recall, f1 = hits / true, 2 * hits / (true + answered)
    return {
        "accuracy": hits.sum(axis=1, keepdims=True) / true.sum(axis=1, keepdims=True),
        "macro_f1": np.nanmean(f1, axis=1, keepdims=True),
        "balanced_accuracy": np.nanmean(recall, axis=1, keepdims=True),
        "recall": recall,
        "f1": f1,
    }


def _by_column(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> list[Difference]:
    delta = theirs - ours
    found = []
    for column in range(delta.shape[1]):
        # A class that an observed image has may be missing from a drawn sample.
        known = delta[1:, column][~np.isnan(delta[1:, column])]
        low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
        found.append(
            Difference(
                float(ours[0, column]),
                float(theirs[0, column]),
                float(delta[0, column]),
                (float(low), float(high)),
            )
        )
    return found
