from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import DatasetError
from pipeline.evaluation.significance import holm, mcnemar


def answers(both: int, only_first: int, only_second: int, none: int) -> tuple[np.ndarray, ...]:
    counts = (both, only_first, only_second, none)
    return tuple(np.repeat(np.array(right), counts) for right in ([1, 1, 0, 0], [1, 0, 1, 0]))


def test_mcnemar_by_hand() -> None:
    first, second = (right.astype(bool) for right in answers(50, 2, 8, 40))
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (2, 8)
    # Ten images apart: twice the tail of ten fair coins with at most two heads.
    by_hand = 2 * Fraction(sum(comb(10, heads) for heads in range(3)), 2**10)
    assert by_hand == Fraction(112, 1024)
    assert found.p_value == pytest.approx(float(by_hand))


def test_mcnemar_is_even_handed() -> None:
    first, second = (right.astype(bool) for right in answers(10, 30, 12, 5))
    assert mcnemar(first, second).p_value == mcnemar(second, first).p_value


def test_mcnemar_comes_near_its_large_sample_form() -> None:
    first, second = (right.astype(bool) for right in answers(2000, 300, 360, 900))
    # Edwards' continuity correction (1948).
    statistic = (abs(300 - 360) - 1) ** 2 / 660
    assert mcnemar(first, second).p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=0.02)


def test_models_that_never_differ_are_no_different() -> None:
    right = np.array([True, False, True])
    assert mcnemar(right, right).p_value == 1.0


def test_mcnemar_needs_the_same_images() -> None:
    with pytest.raises(DatasetError, match="the same images"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_holm_by_hand() -> None:
    # Four times 0.01, three times 0.02; twice 0.03 is not below that; once 0.5.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])


def test_holm_never_exceeds_one_nor_goes_back() -> None:
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([0.02, 0.021]) == [0.04, 0.04]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
