from dataclasses import replace

import numpy as np
import pytest

from pipeline.training.config import TrainingConfig
from pipeline.training.mixing import blend, cutmix, mixup

LABELS = np.arange(64) % 7
TARGETS = np.eye(7, dtype=np.float32)[LABELS]
CONFIG = TrainingConfig()


def images_of(size: int) -> np.ndarray:
    """Each image is its label everywhere, so that a blend can be read off either."""
    return np.broadcast_to(LABELS[:, None, None, None], (64, size, size, 1)).astype(np.float32)


@pytest.mark.parametrize("method", [mixup, cutmix])
def test_blends_images_and_targets_alike(method) -> None:
    mixed, targets = method(images_of(12), TARGETS, 0.4, np.random.default_rng(0))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)), targets @ np.arange(7), atol=1e-5)
    assert ((targets > 0.05) & (targets < 0.95)).any()
    assert (mixed.dtype, targets.dtype) == (np.float32, np.float32)


def test_mixup_blends_everywhere_and_cutmix_in_one_rectangle() -> None:
    rng = np.random.default_rng(0)
    evenly, _ = mixup(images_of(12), TARGETS, 1.0, rng)
    assert (evenly == evenly[:, :1, :1]).all()
    cut, _ = cutmix(images_of(12), TARGETS, 1.0, rng)
    for image, label in zip(cut[..., 0], LABELS, strict=True):
        assert len(np.unique(image)) <= 2
        rows, columns = np.nonzero(image != label)
        if rows.size:
            box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert (box != label).all()


def test_one_way_a_batch_when_both_are_on() -> None:
    both = replace(CONFIG, mixup=1.0, cutmix=1.0)
    ways = set()
    for seed in range(20):
        mixed, _ = blend(images_of(12), TARGETS, both, np.random.default_rng(seed))
        ways.add(bool((mixed == mixed[:, :1, :1]).all()))
    assert ways == {True, False}


def test_nothing_is_blended_or_drawn_without_being_asked() -> None:
    rng = np.random.default_rng(0)
    images, targets = blend(images_of(4), TARGETS, CONFIG, rng)
    np.testing.assert_array_equal(images, images_of(4))
    np.testing.assert_array_equal(targets, TARGETS)
    assert rng.random() == np.random.default_rng(0).random()
