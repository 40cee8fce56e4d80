"""What readers hand over, and how images without a split get one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE, SPLITS, Split
from pipeline.dataset.duplicates import picture_ids
from pipeline.errors import DatasetError
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress

BATCH_SIZE = 2048
MAX_COLLECTED = 200_000
"""The most images that are held in memory at once (460 MB), where splits must be cut."""

VALIDATION_FRACTION = 0.1
TEST_FRACTION = 0.1
SPLIT_SEED = 2013
"""Cuts are the same on every machine and in every import."""

UNSPLIT = 255
"""The code of an image whose source does not tell its split."""

TRAIN, VALIDATION, TEST = (SPLITS.index(split) for split in SPLITS)

_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "publictest"), VALIDATION),
    **dict.fromkeys(("test", "testing", "privatetest"), TEST),
}


@dataclass(frozen=True)
class Batch:
    """Images as a reader found them.

    Attributes:
        images: `uint8` grey in `[0, 255]`, shape `(k, 48, 48)`.
        labels: `uint8`, shape `(k,)`, index into `labels.EMOTIONS`.
        splits: `uint8`, shape `(k,)`, index into `SPLITS`, or `UNSPLIT`.
        origins: Where each image came from; `k` of them.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    splits: npt.NDArray[np.uint8]
    origins: list[str]


class Reader(Protocol):
    """Reads one form of the dataset.

    Attributes:
        kind: The form, for `meta.json`.
        notes: What was done beyond copying; complete once `batches` is at its end.
    """

    kind: str
    notes: list[str]

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """Yields the images in the dataset's order, each with its split.

        Raises:
            DatasetError: If something in the source is wrong: file, row or
                member, and reason.
        """
        ...


def split_code(word: str) -> int | None:
    """Reads a split's name: `Training`, `PublicTest`, `test`, `val`, …; `None` if it is none."""
    return _SPLIT_WORDS.get(word.strip().lower())


def usage_code(text: str) -> int:
    """Reads a cell of the `Usage` column.

    Raises:
        DatasetError: If it is not a split.
    """
    code = split_code(text)
    if code is None:
        usages = ", ".join(split.usage for split in SPLITS)
        raise DatasetError(f"unknown Usage {text.strip()[:20]!r}: expected one of {usages}")
    return code


def collect(batches: Iterable[Batch], where: str) -> Batch:
    """Joins batches into one.

    Raises:
        DatasetError: If there is no image, or there are more than memory should hold.
    """
    parts: list[Batch] = []
    total = 0
    for batch in batches:
        parts.append(batch)
        total += len(batch.labels)
        if total > MAX_COLLECTED:
            raise DatasetError(f"{where}: holds more than {MAX_COLLECTED:,} images")
    if not total:
        raise DatasetError(f"{where}: no image found; expected at least one")
    if len(parts) == 1:
        return parts[0]
    return Batch(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.splits for part in parts]),
        [origin for part in parts for origin in part.origins],
    )


def cut_splits(batch: Batch, where: str) -> tuple[Batch, list[str]]:
    """Gives every image a split, keeping those that the source tells.

    - Nothing told: 80 % train, 10 % validation and 10 % test.
    - No validation told: 10 % of train becomes validation.

    Cuts are stratified (the same share of every class) and depend on the order
    of the images and `SPLIT_SEED` only. Pixel-identical images stay together,
    counted as the class of the first: cut apart, they would give a test away.

    Returns:
        The images with their splits, and a sentence for each cut.

    Raises:
        DatasetError: If the source tells the split of some images only.
    """
    splits = batch.splits.copy()
    unsplit = splits == UNSPLIT
    if unsplit.any() and not unsplit.all():
        example = batch.origins[int(np.flatnonzero(unsplit)[0])]
        raise DatasetError(
            f"{where}: some images lie in a train, validation or test folder and others do not, "
            f"such as {example}; sort them into one or the other"
        )
    notes = []
    if unsplit.all():
        splits[:] = TRAIN
        ids = picture_ids(batch.images)
        _move(splits, batch.labels, ids, TEST, TEST_FRACTION)
        _move(splits, batch.labels, ids, VALIDATION, VALIDATION_FRACTION / (1 - TEST_FRACTION))
        notes.append(
            "The source has no splits: 80 % train, 10 % validation and 10 % test were drawn "
            f"from each class (seed {SPLIT_SEED})."
        )
    elif not (splits == VALIDATION).any() and (splits == TRAIN).any():
        _move(splits, batch.labels, picture_ids(batch.images), VALIDATION, VALIDATION_FRACTION)
        notes.append(
            f"The source has no {Split.VALIDATION} split: 10 % of each class of {Split.TRAIN} "
            f"were drawn for it (seed {SPLIT_SEED})."
        )
    return replace(batch, splits=splits), notes


def pieces(batch: Batch) -> Iterator[Batch]:
    """Cuts a large batch into those of the usual size."""
    for start in range(0, len(batch.labels), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        yield Batch(batch.images[part], batch.labels[part], batch.splits[part], batch.origins[part])


def empty_images(count: int) -> npt.NDArray[np.uint8]:
    """Room for `count` images."""
    return np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def _move(
    splits: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    ids: npt.NDArray[np.intp],
    target: int,
    fraction: float,
) -> None:
    """Moves a share of each class from train to `target`, in place.

    Args:
        splits: Of each image.
        labels: Of each image.
        ids: Of each image's picture.
        target: The split that is filled.
        fraction: Of the training images, in `[0, 1]`.
    """
    generator = np.random.default_rng((SPLIT_SEED, target))
    train = np.flatnonzero(splits == TRAIN)
    _, firsts, pictures, copies = np.unique(
        ids[train], return_index=True, return_inverse=True, return_counts=True
    )
    classes = labels[train[firsts]]
    for label in range(NUM_EMOTIONS):
        # In the order of the images, which the numbers of pictures do not tell.
        members = np.flatnonzero(classes == label)
        members = generator.permutation(members[np.argsort(firsts[members])])
        room = round(fraction * copies[members].sum())
        chosen = []
        for picture in members:
            if copies[picture] <= room:
                chosen.append(picture)
                room -= copies[picture]
        splits[train[np.isin(pictures, chosen)]] = target
