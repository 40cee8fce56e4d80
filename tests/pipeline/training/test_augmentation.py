from dataclasses import replace

import numpy as np
import pytest

from pipeline.training.augmentation import augment
from pipeline.training.config import TrainingConfig

PLAIN = TrainingConfig(rotation=0.0, shift=0.0, zoom=0.0, flip=False)


def faces(num: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(60, 200, (num, 48, 48, 1), np.uint8)


def run(config: TrainingConfig, images: np.ndarray, seed: int = 1) -> np.ndarray:
    return augment(images, config, np.random.default_rng(seed))


def blob(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 48, 48, 1), np.uint8)
    image[0, row - 2 : row + 3, column - 2 : column + 3] = 255
    return image


def centre_of(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(image.shape[:2])
    mass = image[..., 0]
    return float((rows * mass).sum() / mass.sum()), float((columns * mass).sum() / mass.sum())


def test_without_augmentation_images_pass_unchanged() -> None:
    images = faces()
    result = run(PLAIN, images)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, images)


@pytest.mark.parametrize("size", [48, 96])
def test_seed_recipe_keeps_shape_and_range(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, size, size, 1), np.uint8)
    config = TrainingConfig(brightness=0.5, contrast=0.5, erasing=1.0, input_size=size)
    result = run(config, images)
    assert result.shape == images.shape
    assert result.min() >= 0
    assert result.max() <= 255


def test_equal_seeds_give_equal_images_and_others_do_not() -> None:
    images = faces()
    np.testing.assert_array_equal(run(TrainingConfig(), images), run(TrainingConfig(), images))
    assert (run(TrainingConfig(), images) != run(TrainingConfig(), images, seed=2)).any()


def test_flip_mirrors_about_half_of_the_images_exactly() -> None:
    images = faces(400)
    result = run(replace(PLAIN, flip=True), images)
    same = (result == images).all(axis=(1, 2, 3))
    mirrored = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same | mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_rotation_turns_about_the_centre_within_its_limit() -> None:
    images = np.repeat(blob(23, 40), 200, axis=0)
    result = run(replace(PLAIN, rotation=30.0), images)
    angles = []
    for image in result:
        row, column = centre_of(image)
        angles.append(np.degrees(np.arctan2(row - 23.5, column - 23.5)))
        assert np.hypot(row - 23.5, column - 23.5) == pytest.approx(16.5, abs=0.6)
    assert max(np.abs(angles)) < 33
    assert max(angles) > 25
    assert min(angles) < -25


def test_shift_moves_by_at_most_its_share_of_the_side() -> None:
    result = run(replace(PLAIN, shift=0.25), np.repeat(blob(24, 24), 200, axis=0))
    moves = np.array([centre_of(image) for image in result]) - 24
    assert np.abs(moves).max() <= 12.1
    assert np.abs(moves).max(axis=0).min() > 10


def test_zoom_scales_both_ways() -> None:
    result = run(replace(PLAIN, zoom=0.3), np.repeat(blob(24, 24), 200, axis=0))
    areas = result.sum(axis=(1, 2, 3)) / (255 * 25)
    assert areas.min() == pytest.approx(0.49, abs=0.12)
    assert areas.max() == pytest.approx(1.69, abs=0.2)


def test_brightness_and_contrast_change_mean_and_spread_only() -> None:
    images = faces()
    brighter = run(replace(PLAIN, brightness=0.1), images) - images
    assert np.ptp(brighter.reshape(len(images), -1), axis=1).max() < 1e-3
    assert 20 < np.abs(brighter).max() <= 25.5
    stretched = run(replace(PLAIN, contrast=0.2), images)
    np.testing.assert_allclose(
        stretched.mean(axis=(1, 2, 3)), images.mean(axis=(1, 2, 3)), atol=1e-2
    )
    ratio = stretched.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert ratio.min() == pytest.approx(np.exp(-0.2), abs=0.03)
    assert ratio.max() == pytest.approx(np.exp(0.2), abs=0.03)


def test_erasing_changes_one_rectangle_and_spares_the_input() -> None:
    images = faces()
    before = images.copy()
    changed = run(replace(PLAIN, erasing=1.0), images) != images
    np.testing.assert_array_equal(images, before)
    for mask in changed[..., 0]:
        rows, columns = np.nonzero(mask)
        box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert box.mean() > 0.95
        assert 0.01 < box.size / mask.size < 0.25
    half = run(replace(PLAIN, erasing=0.5), faces(400)) != faces(400)
    assert 150 < half.any(axis=(1, 2, 3)).sum() < 250


def test_degradation_is_part_of_it_and_leaves_the_rest_as_it_was() -> None:
    images = faces(200)
    changed = (run(replace(PLAIN, degradation=0.5), images) != images).any(axis=(1, 2, 3))
    assert 70 < changed.sum() < 130
