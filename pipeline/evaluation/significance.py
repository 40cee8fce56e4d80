"""Whether a difference between two models on the same images is more than luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError

ALPHA = 0.05
"""A p-value below this is called significant."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models on the same images.

    Attributes:
        only_first: Images that only the first model answers rightly.
        only_second: Images that only the second does.
        p_value: How likely a split of these images at least as uneven is if
            both models are equally good; two-sided, in `[0, 1]`.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> McNemar:
    """McNemar's test (1947, doi:10.1007/BF02295996), in its exact binomial form.

    Images that both answer rightly, or both wrongly, say nothing about which is
    better. Of the others each model has half, if they are equally good.

    Args:
        first: Whether the first model is right, shape `(n,)`.
        second: Whether the second is, for the same images in the same order.

    Raises:
        DatasetError: If the two differ in shape.
    """
    # Here, not above: scipy takes time to load, and reading reports does without it.
    from scipy.stats import binomtest

    if first.shape != second.shape:
        raise DatasetError(
            f"expected answers to the same images, got {first.shape} and {second.shape}"
        )
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    apart = only_first + only_second
    p_value = float(binomtest(only_first, apart).pvalue) if apart else 1.0
    return McNemar(only_first, only_second, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrects p-values for their number, so that luck among many is not taken for more.

    The step-down method of Holm (1979), https://www.jstor.org/stable/4615733: it
    bounds the probability of even one false alarm.

    Args:
        p_values: In `[0, 1]`, of any number.

    Returns:
        The adjusted p-values in the same order, to be held against the same
        level as a single one.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted
