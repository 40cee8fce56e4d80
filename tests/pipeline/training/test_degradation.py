import numpy as np

from pipeline.training.degradation import degrade

FACES = np.random.default_rng(0).integers(0, 256, (200, 48, 48, 1), dtype=np.uint8)


def test_degrades_the_share_asked_for_and_spares_its_input() -> None:
    before = FACES.copy()
    result = degrade(FACES, 0.5, np.random.default_rng(1))
    np.testing.assert_array_equal(FACES, before)
    assert (result.dtype, result.shape) == (np.uint8, FACES.shape)
    assert 70 < (result != FACES).any(axis=(1, 2, 3)).sum() < 130


def test_all_are_degraded_in_different_ways() -> None:
    change = np.abs(degrade(FACES, 1.0, np.random.default_rng(1)).astype(int) - FACES)
    strength = change.mean(axis=(1, 2, 3))
    assert strength.min() > 1
    assert strength.max() > 3 * strength.min()


def test_equal_seeds_degrade_equally() -> None:
    first, second = (degrade(FACES, 1.0, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
