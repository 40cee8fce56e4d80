import numpy as np
import pytest

from pipeline.dataset.readers.batches import TEST, TRAIN, UNSPLIT, VALIDATION, Batch, cut_splits


def batch(pictures: list[int], labels: list[int], split: int = UNSPLIT) -> Batch:
    """Images by the number of their picture."""
    images = np.random.default_rng(5).integers(0, 256, (max(pictures) + 1, 48, 48), np.uint8)
    return Batch(
        images[pictures],
        np.array(labels, np.uint8),
        np.full(len(labels), split, np.uint8),
        [f"{number}.png" for number in range(len(labels))],
    )


@pytest.mark.parametrize("told", ["nothing", "training"])
def test_identical_images_stay_on_one_side_of_a_cut(told: str) -> None:
    numbers = [*range(300), *range(100), *range(50)]
    classes = [number % 7 for number in range(300)]
    # Of a picture under two labels too.
    labels = [*classes, *classes[:100], *(6 for _ in range(50))]
    found, _ = cut_splits(
        batch(numbers, labels, UNSPLIT if told == "nothing" else TRAIN), "some.zip"
    )
    by_picture: dict[int, set[int]] = {}
    for number, split in zip(numbers, found.splits.tolist(), strict=True):
        by_picture.setdefault(number, set()).add(split)
    assert all(len(splits) == 1 for splits in by_picture.values())
    for split, share in ((VALIDATION, 0.1), (TEST, 0.1 if told == "nothing" else 0.0)):
        assert (found.splits == split).mean() == pytest.approx(share, abs=0.02)


def test_pictures_too_frequent_for_a_split_are_passed_over() -> None:
    found, _ = cut_splits(batch([0] * 60 + list(range(1, 41)), [3] * 100), "some.zip")
    assert (found.splits[:60] == TRAIN).all()
    assert (found.splits == TEST).sum() == 10
    assert (found.splits == VALIDATION).sum() == round(90 / 9)


def test_without_copies_the_cut_depends_on_the_order_of_the_images_only() -> None:
    one, _ = cut_splits(batch(list(range(70)), [0] * 70), "some.zip")
    other, _ = cut_splits(batch(list(reversed(range(70))), [0] * 70), "some.zip")
    np.testing.assert_array_equal(one.splits, other.splits)
