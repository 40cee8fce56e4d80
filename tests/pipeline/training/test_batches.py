import numpy as np
import pytest

from pipeline.training.config import TrainingConfig

pytestmark = pytest.mark.xdist_group("tensorflow")

PLAIN = TrainingConfig(batch_size=16, rotation=0.0, shift=0.0, zoom=0.0, flip=False)
IMAGES = np.broadcast_to(np.arange(50, dtype=np.uint8)[:, None, None, None], (50, 48, 48, 1))
TARGETS = np.eye(7, dtype=np.float32)[np.arange(50) % 7]


def make(config: TrainingConfig, epoch: int = 0, weights: np.ndarray | None = None):
    from pipeline.training.batches import TrainingBatches

    return TrainingBatches(
        IMAGES, TARGETS, np.ones(7, np.float32) if weights is None else weights, config, epoch
    )


def seen(batches) -> np.ndarray:
    return np.concatenate([batches[i][0][:, 0, 0, 0] for i in range(len(batches))])


def test_an_epoch_holds_every_image_once_with_its_target() -> None:
    batches = make(PLAIN)
    assert len(batches) == 4
    np.testing.assert_array_equal(np.sort(seen(batches)), np.arange(50))
    images, targets, _ = batches[3]
    assert len(images) == 2
    np.testing.assert_array_equal(targets.argmax(axis=1), images[:, 0, 0, 0] % 7)


def test_epochs_differ_and_repeat_exactly() -> None:
    assert (seen(make(PLAIN, 0)) != seen(make(PLAIN, 1))).any()
    varied = TrainingConfig(batch_size=16, mixup=0.3, erasing=0.5)
    for first, second in zip(make(varied, 3)[1], make(varied, 3)[1], strict=True):
        np.testing.assert_array_equal(first, second)


def test_last_single_image_is_left_out() -> None:
    from pipeline.training.batches import num_batches

    assert num_batches(49, 16) == 3
    assert num_batches(50, 16) == 4
    assert num_batches(10, 16) == 1
    assert num_batches(1, 16) == 1


def test_sample_weights_follow_the_targets() -> None:
    weights = np.arange(7, dtype=np.float32)
    _, targets, sample_weights = make(PLAIN, weights=weights)[0]
    np.testing.assert_array_equal(sample_weights, targets.argmax(axis=1))
