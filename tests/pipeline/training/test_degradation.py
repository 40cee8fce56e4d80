import cv2
import numpy as np
import pytest

from pipeline.training import degradation
from pipeline.training.degradation import degrade

# Broad shapes and fine texture, like a face's.
FACE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8), (0, 0), 1.0
)
FACES = np.repeat(FACE[None, :, :, None], 200, axis=0)


def contrast_of_details(image: np.ndarray) -> float:
    return float(cv2.Laplacian(image.astype(np.float32), cv2.CV_32F).std())


def test_degrades_the_share_asked_for_and_spares_its_input() -> None:
    before = FACES.copy()
    result = degrade(FACES, 0.5, np.random.default_rng(1))
    np.testing.assert_array_equal(FACES, before)
    assert (result.dtype, result.shape) == (np.uint8, FACES.shape)
    assert 70 < (result != FACES).any(axis=(1, 2, 3)).sum() < 130


def test_equal_seeds_degrade_equally() -> None:
    first, second = (degrade(FACES, 1.0, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["_blur", "_shrink"])
def test_blur_and_low_resolution_take_details_away(name: str) -> None:
    way = getattr(degradation, name)
    for seed in range(20):
        worse = way(FACE, np.random.default_rng(seed))
        assert contrast_of_details(worse) < 0.95 * contrast_of_details(FACE)
        assert abs(worse.mean() - FACE.mean()) < 2


def test_noise_adds_details_of_the_strength_meant() -> None:
    grey = np.full((48, 48), 128, np.uint8)
    spread = [degradation._add_noise(grey, np.random.default_rng(seed)).std() for seed in range(40)]
    assert min(spread) == pytest.approx(3, abs=1)
    assert max(spread) == pytest.approx(14, abs=1.5)


def test_compression_changes_pixels_but_not_the_picture() -> None:
    worse = degradation._compress(FACE, np.random.default_rng(0))
    assert (worse != FACE).mean() > 0.3
    assert np.corrcoef(worse.ravel(), FACE.ravel())[0, 1] > 0.8
