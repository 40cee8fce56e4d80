"""What a confusion matrix says: shares, which classes go together, which are mixed up most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.labels import NUM_EMOTIONS

Matrix = npt.NDArray[np.int64]


class Shares(StrEnum):
    """What the images of a cell are a share of."""

    TRUE = "true"
    PREDICTED = "predicted"


class Order(StrEnum):
    """The order of the classes."""

    LABELS = "labels"
    SIMILAR = "similar"
    RECALL = "recall"


@dataclass(frozen=True)
class MixUp:
    """Two classes that are taken for one another.

    Attributes:
        first: The class that is taken for the other more often, by share.
        second: The other.
        forward: Images of the first that are called the second.
        back: Images of the second that are called the first.
        forward_share: `forward` as a share of the first's images.
        back_share: `back` as a share of the second's images.
    """

    first: int
    second: int
    forward: int
    back: int
    forward_share: float
    back_share: float

    @property
    def is_mutual(self) -> bool:
        """Whether it goes both ways: the rarer way at least half as often."""
        return self.back_share >= self.forward_share / 2


def shares(matrix: Matrix, of: Shares) -> npt.NDArray[np.float64]:
    """Divides each cell by the sum of its row (`true`) or column (`predicted`).

    Args:
        matrix: Images, rows true, columns predicted, shape `(7, 7)`.
        of: What to divide by.

    Returns:
        In `[0, 1]`; 0 where a class does not occur.
    """
    sums = matrix.sum(axis=1 if of is Shares.TRUE else 0, keepdims=True)
    return matrix / np.maximum(sums, 1)


def class_order(matrix: Matrix, order: Order) -> list[int]:
    """Puts the classes in order.

    Args:
        matrix: Images, rows true, columns predicted, shape `(7, 7)`.
        order: `labels` as in `labels.EMOTIONS`; `similar` such that classes that
            are taken for one another lie side by side (average linkage, leaves
            ordered by Bar-Joseph et al. 2001); `recall` the best found first.
    """
    if order is Order.LABELS:
        return list(range(NUM_EMOTIONS))
    rows = shares(matrix, Shares.TRUE)
    if order is Order.RECALL:
        return np.argsort(-np.diag(rows), kind="stable").tolist()
    # Here, not above: only this order needs SciPy's clustering.
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = 1 - (rows + rows.T) / 2
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average", optimal_ordering=True)
    return leaves_list(tree).tolist()


def mix_ups(matrix: Matrix, *, most: int = 5) -> list[MixUp]:
    """The pairs of classes that are mixed up most, by the larger share of the two ways.

    By share, not by number: of rare classes nothing would be heard else.

    Args:
        matrix: Images, rows true, columns predicted, shape `(7, 7)`.
        most: How many pairs at the most; those that are never mixed up are none.
    """
    rows = shares(matrix, Shares.TRUE)
    found = []
    for one in range(NUM_EMOTIONS):
        for other in range(one + 1, NUM_EMOTIONS):
            first, second = (one, other) if rows[one, other] >= rows[other, one] else (other, one)
            if matrix[first, second]:
                found.append(
                    MixUp(
                        first,
                        second,
                        int(matrix[first, second]),
                        int(matrix[second, first]),
                        float(rows[first, second]),
                        float(rows[second, first]),
                    )
                )
    return sorted(found, key=lambda pair: -pair.forward_share)[:most]
