import itertools

import cv2
import numpy as np
import pytest

from pipeline import camera

# Broad shapes and fine texture, like a face's.
FACE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8), (0, 0), 1.0
)


def details(image: np.ndarray) -> float:
    return float(cv2.Laplacian(image.astype(np.float32), cv2.CV_32F).std())


def test_blur_and_few_pixels_take_details_away_and_keep_the_light() -> None:
    for ways in (
        [camera.blurred(FACE, sigma) for sigma in (0.5, 1.0, 2.0)],
        [camera.coarse(FACE, share) for share in (0.75, 0.5, 0.25)],
    ):
        steps = [details(image) for image in (FACE, *ways)]
        assert all(less < 0.95 * more for more, less in itertools.pairwise(steps))
        assert all(abs(image.mean() - FACE.mean()) < 2 for image in ways)
        assert {(image.dtype, image.shape) for image in ways} == {(np.dtype(np.uint8), (48, 48))}


def test_blur_means_the_same_on_a_larger_face() -> None:
    large = cv2.resize(FACE, (96, 96), interpolation=cv2.INTER_CUBIC)
    there = cv2.resize(camera.blurred(large, 2.0), (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(there.astype(int) - camera.blurred(FACE, 2.0)).mean() < 2


def test_noise_is_of_the_strength_meant() -> None:
    dull = np.full((4, 48, 48), 128, np.uint8)
    for deviation in (5, 15):
        found = camera.noisy(dull, deviation, np.random.default_rng(0))
        assert found.std() == pytest.approx(deviation, rel=0.05)
    assert camera.noisy(np.full((48, 48), 250, np.uint8), 50, np.random.default_rng(0)).max() == 255


def test_compression_changes_pixels_but_not_the_picture() -> None:
    fine, rough = (camera.compressed(FACE, quality) for quality in (90, 10))
    errors = [np.abs(image.astype(int) - FACE).mean() for image in (fine, rough)]
    assert 0 < errors[0] < errors[1]
    assert np.corrcoef(rough.ravel(), FACE.ravel())[0, 1] > 0.6
