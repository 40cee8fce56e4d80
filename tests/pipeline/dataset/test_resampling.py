"""What an epoch would hold, by hand."""

import numpy as np
import pytest

from pipeline.dataset.resampling import Resampled, Scheme, resample
from pipeline.training.targets import stratified_subset

COUNTS = [100, 4, 25, 36, 0, 9, 1]


def test_every_image_once() -> None:
    found = resample(COUNTS, 1.0, Scheme.NONE)
    assert found.drawn.tolist() == found.available.tolist() == COUNTS
    assert found.total == found.distinct == 175
    assert found.imbalance_ratio is None  # a class is empty
    assert found.repeats.tolist() == [1, 1, 1, 1, 0, 1, 1]


def test_undersampling_goes_by_the_rarest_class_that_occurs() -> None:
    found = resample([10, 5, 20, 0, 0, 0, 0], 1.0, Scheme.UNDERSAMPLE)
    assert found.drawn.tolist() == [5, 5, 5, 0, 0, 0, 0]
    assert found.total == found.distinct == 15
    assert found.repeats[2] == 0.25


def test_oversampling_repeats_images() -> None:
    found = resample([10, 5, 20, 0, 0, 0, 0], 1.0, Scheme.OVERSAMPLE)
    assert found.drawn.tolist() == [20, 20, 20, 0, 0, 0, 0]
    assert (found.total, found.distinct) == (60, 35)
    assert found.repeats.tolist() == [2, 4, 1, 0, 0, 0, 0]


def test_square_root_keeps_the_total_and_takes_the_root_of_the_ratio() -> None:
    found = resample([100, 4, 25, 36, 81, 9, 1], 1.0, Scheme.SQUARE_ROOT)
    # Roots 10, 2, 5, 6, 9, 3, 1 of 36, times 256 images: 71.1, 14.2, 35.6, 42.7, 64, 21.3, 7.1.
    assert found.drawn.tolist() == [71, 14, 36, 43, 64, 21, 7]
    assert found.total == 256
    assert found.imbalance_ratio == pytest.approx(71 / 7)
    assert found.distinct == 71 + 4 + 25 + 36 + 64 + 9 + 1


@pytest.mark.parametrize("share", [0.001, 0.1, 0.37, 0.5, 1.0])
def test_subset_holds_what_training_would_take(share: float) -> None:
    labels = np.repeat(np.arange(7, dtype=np.uint8), COUNTS)
    taken = stratified_subset(labels, np.arange(len(labels)), share, seed=3)
    found = resample(COUNTS, share, Scheme.NONE)
    assert found.available.tolist() == np.bincount(labels[taken], minlength=7).tolist()


def test_subset_comes_before_the_draw() -> None:
    found = resample([40, 10, 10, 10, 10, 10, 10], 0.5, Scheme.OVERSAMPLE)
    assert found.available.tolist() == [20, 5, 5, 5, 5, 5, 5]
    assert found.total == 7 * 20


@pytest.mark.parametrize("scheme", list(Scheme))
def test_no_image_is_no_image(scheme: Scheme) -> None:
    found = resample([0] * 7, 0.5, scheme)
    assert isinstance(found, Resampled)
    assert (found.total, found.distinct, found.imbalance_ratio) == (0, 0, None)
