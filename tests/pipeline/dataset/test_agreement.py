"""Labels against votes, on four images counted by hand."""

import numpy as np
import pytest

from pipeline.dataset.agreement import agreement
from pipeline.dataset.ferplus import COLUMNS
from pipeline.labels import NAMES


def votes(**counts: int) -> list[int]:
    return [counts.get(column, 0) for column in COLUMNS]


def test_counts_and_lists() -> None:
    found = agreement(
        np.array([NAMES.index(name) for name in ("happy", "happy", "fear", "fear")], np.uint8),
        np.array(
            [
                votes(happiness=10),
                votes(happiness=5, neutral=5),
                votes(surprise=6, fear=2, NF=2),
                votes(NF=10),
            ],
            np.uint8,
        ),
    )
    happy, fear, surprise = (NAMES.index(name) for name in ("happy", "fear", "surprise"))
    expected = np.zeros((7, 8), int)
    expected[happy, happy] = expected[happy, 7] = 1
    expected[fear, surprise] = expected[fear, 7] = 1
    np.testing.assert_array_equal(found.confusion, expected)
    assert found.differing.tolist() == [2]
    assert found.undecided.tolist() == [1, 3]
    assert found.own_share[happy] == pytest.approx(0.75)
    # The image that has no vote for any of the seven does not pull the mean down.
    assert found.own_share[fear] == pytest.approx(0.25)
    assert found.entropy[happy] == pytest.approx(0.5)
    assert found.own_share[NAMES.index("sad")] == 0
