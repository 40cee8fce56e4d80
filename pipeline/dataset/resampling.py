"""What a smaller or differently drawn training set would hold, told from counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


class Scheme(StrEnum):
    """How an epoch draws its images.

    `NONE` takes every image once. `UNDERSAMPLE` takes as many of each class as
    the rarest has, `OVERSAMPLE` as many as the commonest, by repeating images.
    `SQUARE_ROOT` draws as many images as there are, each class in proportion to
    the square root of its size: half way, on a log scale, between the data and
    equal classes (Mahajan et al. 2018, arXiv:1805.00932; compared with the other
    two by Kang et al. 2020, arXiv:1910.09217).
    """

    NONE = "none"
    UNDERSAMPLE = "undersample"
    OVERSAMPLE = "oversample"
    SQUARE_ROOT = "square_root"


@dataclass(frozen=True)
class Resampled:
    """What an epoch would hold.

    Attributes:
        available: Images of each class that can be drawn, `int64`, shape `(7,)`.
        drawn: Images of each class in an epoch, repeats counted, likewise.
    """

    available: Counts
    drawn: Counts

    @property
    def total(self) -> int:
        """Images in an epoch, repeats counted."""
        return int(self.drawn.sum())

    @property
    def distinct(self) -> int:
        """Different images in an epoch: none is repeated before all of its class were drawn."""
        return int(np.minimum(self.drawn, self.available).sum())

    @property
    def repeats(self) -> npt.NDArray[np.float64]:
        """How often an epoch draws an image of each class on average; 0 for a class with none."""
        shape = self.drawn.shape
        return np.divide(self.drawn, self.available, out=np.zeros(shape), where=self.available > 0)

    @property
    def imbalance_ratio(self) -> float | None:
        """The commonest class to the rarest; `None` if a class has no image."""
        least = int(self.drawn.min())
        return int(self.drawn.max()) / least if least else None


def resample(counts: Sequence[int], share: float, scheme: Scheme) -> Resampled:
    """Takes a stratified subset and draws an epoch from it.

    Args:
        counts: Training images of each class.
        share: Of the images that are kept, in `(0, 1]`; see `subset_size`.
        scheme: How an epoch draws from them. A class with no image stays empty.
    """
    available = np.array([subset_size(count, share) for count in counts], np.int64)
    present = available > 0
    if scheme is Scheme.NONE or not present.any():
        return Resampled(available, available)
    if scheme is Scheme.SQUARE_ROOT:
        return Resampled(available, _apportion(np.sqrt(available), int(available.sum())))
    size = available[present].min() if scheme is Scheme.UNDERSAMPLE else available.max()
    return Resampled(available, np.where(present, size, 0))


def subset_size(count: int, share: float) -> int:
    """Images that a stratified subset keeps of a class: one at least of what is not empty."""
    return max(1, round(share * count)) if count else 0


def _apportion(weights: npt.NDArray[np.float64], total: int) -> Counts:
    """Whole numbers in proportion to weights that add up to a total (largest remainder)."""
    exact = weights * (total / weights.sum())
    parts = np.floor(exact).astype(np.int64)
    left = total - int(parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:left]] += 1
    return parts
