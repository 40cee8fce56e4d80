"""What is in a dataset and what is wrong with it: balance, copies, bad images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import SPLITS, Dataset, Split, ferplus
from pipeline.dataset.duplicates import groups_of, near_groups, picture_ids
from pipeline.labels import NAMES, NUM_EMOTIONS
from pipeline.progress import Progress, no_progress, part_of

GREY_LEVELS = 256
# An image that uses less than a quarter of the grey scale is dark, bright or flat.
QUARTER = GREY_LEVELS // 4
BLANK_RANGE = 16
MIN_SHARPNESS = 1.0

_NUM_EXAMPLES = 5
_IMAGES_AT_ONCE = 512

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Measures:
    """Simple measures of each image; every array has the shape `(n,)`.

    Attributes:
        brightness: Mean grey value, in `[0, 255]`.
        low: Grey value that 5 % of the pixels do not exceed.
        high: Grey value that 95 % of the pixels do not exceed.
        value_range: Highest minus lowest grey value.
        sharpness: Mean squared Laplacian over mean squared gradient, that is the
            mean squared spatial frequency of the edges, in (radians/pixel)².
            Gain and offset of the grey values do not change it, unlike the usual
            variance of the Laplacian, which calls every dim image blurred. 0
            where there is no edge.
    """

    brightness: npt.NDArray[np.float32]
    low: npt.NDArray[np.int16]
    high: npt.NDArray[np.int16]
    value_range: npt.NDArray[np.int16]
    sharpness: npt.NDArray[np.float32]

    def faults(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Tells which images have which fault.

        `constant` images are `blank` too; images that are blank have no other
        fault. The limits were set by eye on FER-2013, where the last four pick
        out 14, 9, 92 and 38 images. They are meant for looking, not for removing
        unseen: what is dark or flat may well be a good photograph of dark skin.
        """
        blank = self.value_range < BLANK_RANGE
        return {
            "constant": self.value_range == 0,
            "blank": blank,
            "too_dark": ~blank & (self.high < QUARTER),
            "too_bright": ~blank & (self.low >= GREY_LEVELS - QUARTER),
            "low_contrast": ~blank & (self.high - self.low < QUARTER),
            "blurred": ~blank & (self.sharpness < MIN_SHARPNESS),
        }


@dataclass(frozen=True)
class Overlap:
    """The images of one split that have a copy in another, or in their own.

    Attributes:
        split: Where the images are.
        other: Where their copies are.
        images: Indices into the dataset, ascending.
        num_same_label: How many of them have a copy of their own label there.
    """

    split: Split
    other: Split
    images: Indices
    num_same_label: int

    def to_dict(self) -> dict[str, Any]:
        """The figures and the first few indices."""
        return {
            "split": self.split.value,
            "other": self.other.value,
            "num_images": len(self.images),
            "num_same_label": self.num_same_label,
            "examples": self.images[:_NUM_EXAMPLES].tolist(),
        }


@dataclass(frozen=True)
class Copies:
    """Images that show the same picture.

    Attributes:
        groups: Indices of images that belong together.
        conflicting: Those of the groups whose images differ in label.
        overlaps: For each ordered pair of splits, the same one twice included.
    """

    groups: list[Indices]
    conflicting: list[Indices]
    overlaps: tuple[Overlap, ...]

    def overlap(self, split: Split, other: Split) -> Overlap:
        """The images of `split` with a copy in `other`."""
        return next(item for item in self.overlaps if (item.split, item.other) == (split, other))

    def to_dict(self) -> dict[str, Any]:
        """The figures and the first few groups."""
        return {
            "num_groups": len(self.groups),
            "num_images": sum(map(len, self.groups)),
            "num_conflicting_groups": len(self.conflicting),
            "examples": [group.tolist() for group in self.groups[:_NUM_EXAMPLES]],
            "conflicting_examples": [group.tolist() for group in self.conflicting[:_NUM_EXAMPLES]],
            "overlaps": [item.to_dict() for item in self.overlaps],
        }


@dataclass(frozen=True)
class QualityReport:
    """What `inspect` found.

    Attributes:
        name: The dataset's name.
        title: Its title.
        fingerprint: Of the data that was inspected.
        synthetic: Whether the images are drawn, not photographed.
        num_samples: The number of images.
        counts: Images per split and class, `{split: [seven counts]}`.
        imbalance_ratio: The largest class of the training split over its
            smallest; `None` if a class has no image there.
        exact: Pixel-identical images.
        near: Near copies. The groups hold identical copies too, but an overlap
            lists only images without an identical copy in the other split, so
            that the figures of `exact` and `near` add up.
        faults: Indices of the images with each fault, by its name in
            `Measures.faults`.
        measures: What the faults were told from.
        not_a_face: Indices of the images that FER+ taggers call no face; `None`
            if no votes are attached.
    """

    name: str
    title: str
    fingerprint: str
    synthetic: bool
    num_samples: int
    counts: dict[str, list[int]]
    imbalance_ratio: float | None
    exact: Copies
    near: Copies
    faults: dict[str, Indices]
    measures: Measures
    not_a_face: Indices | None

    @classmethod
    def of(cls, dataset: Dataset, measures: Measures, exact: Copies, near: Copies) -> QualityReport:
        """The report of a dataset that was measured and searched for copies, now or before."""
        in_training = dataset.meta.counts[Split.TRAIN.value]
        votes = dataset.votes
        return cls(
            name=dataset.name,
            title=dataset.meta.title,
            fingerprint=dataset.meta.fingerprint,
            synthetic=dataset.meta.synthetic,
            num_samples=len(dataset),
            counts=dataset.meta.counts,
            imbalance_ratio=max(in_training) / min(in_training) if min(in_training) else None,
            exact=exact,
            near=near,
            faults={fault: np.flatnonzero(found) for fault, found in measures.faults().items()},
            measures=measures,
            not_a_face=None if votes is None else np.flatnonzero(ferplus.not_a_face(votes)),
        )

    def to_dict(self) -> dict[str, Any]:
        """All figures and a few examples of each, ready for JSON."""
        lists = dict(self.faults)
        if self.not_a_face is not None:
            lists["not_a_face"] = self.not_a_face
        return {
            "name": self.name,
            "title": self.title,
            "fingerprint": self.fingerprint,
            "synthetic": self.synthetic,
            "num_samples": self.num_samples,
            "labels": list(NAMES),
            "counts": self.counts,
            "imbalance_ratio": self.imbalance_ratio,
            "exact_duplicates": self.exact.to_dict(),
            "near_duplicates": self.near.to_dict(),
            "faults": {
                fault: {
                    "num_images": len(indices),
                    "examples": indices[:_NUM_EXAMPLES].tolist(),
                }
                for fault, indices in lists.items()
            },
        }


def inspect(dataset: Dataset, *, progress: Progress = no_progress) -> QualityReport:
    """Looks a dataset over.

    Args:
        dataset: Any imported dataset.
        progress: Told the share that is done.

    Returns:
        The report; the same for the same data.
    """
    progress(0.0, 1.0, "measuring images")
    measures = measure(dataset.images)
    progress(0.1, 1.0, "finding identical images")
    pictures = picture_ids(dataset.images)
    exact = _copies(dataset, groups_of(pictures))
    progress(0.2, 1.0, "finding near copies")
    searching = part_of(progress, 0.2, 1.0)
    near = _copies(dataset, near_groups(dataset.images, progress=searching), apart_from=exact)
    progress(1.0, 1.0, "done")
    return QualityReport.of(dataset, measures, exact, near)


def measure(images: npt.NDArray[np.uint8]) -> Measures:
    """Measures brightness, contrast and sharpness of each image.

    Args:
        images: `uint8`, shape `(n, height, width)`, 3 pixels a side or more; `n`
            may not be 0.
    """
    parts = [
        (*_grey_values(batch), _sharpness(batch))
        for batch in np.split(images, range(_IMAGES_AT_ONCE, len(images), _IMAGES_AT_ONCE))
    ]
    return Measures(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _grey_values(images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[Any], ...]:
    """The first four of the `Measures`, from the histogram of each image."""
    offsets = GREY_LEVELS * np.arange(len(images))[:, None]
    levels = images.reshape(len(images), -1) + offsets
    counts = np.bincount(levels.ravel(), minlength=offsets.size * GREY_LEVELS)
    counts = counts.reshape(len(images), GREY_LEVELS)
    share = np.cumsum(counts, axis=1) / levels.shape[1]
    darkest = (counts > 0).argmax(axis=1)
    brightest = GREY_LEVELS - 1 - (counts > 0)[:, ::-1].argmax(axis=1)
    return (
        (counts @ np.arange(GREY_LEVELS) / levels.shape[1]).astype(np.float32),
        (share >= 0.05).argmax(axis=1).astype(np.int16),
        (share >= 0.95).argmax(axis=1).astype(np.int16),
        (brightest - darkest).astype(np.int16),
    )


def _sharpness(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    grey = images.astype(np.float32)
    down, across = np.diff(grey, axis=1), np.diff(grey, axis=2)
    gradient = np.square(down).mean(axis=(1, 2)) + np.square(across).mean(axis=(1, 2))
    curve = np.diff(down, axis=1)[:, :, 1:-1] + np.diff(across, axis=2)[:, 1:-1]
    laplacian = np.square(curve).mean(axis=(1, 2))
    return np.divide(laplacian, gradient, out=np.zeros_like(gradient), where=gradient > 0)


def _copies(dataset: Dataset, groups: list[Indices], apart_from: Copies | None = None) -> Copies:
    """Describes groups of copies; `apart_from` holds overlaps that are not told again."""
    ids = np.full(len(dataset), -1)
    for number, group in enumerate(groups):
        ids[group] = number
    overlaps = []
    for split, other in product(SPLITS, SPLITS):
        images = dataset.indices(split)
        images = images[ids[images] >= 0]
        if apart_from is not None:
            images = np.setdiff1d(images, apart_from.overlap(split, other).images)
        partners = dataset.indices(other)
        partners = partners[ids[partners] >= 0]
        # Within one split every image finds itself.
        own = 1 if split is other else 0
        images = images[_occurrences(ids[images], ids[partners]) > own]
        keys = ids * NUM_EMOTIONS + dataset.labels.astype(np.intp)
        same_label = _occurrences(keys[images], keys[partners]) > own
        overlaps.append(Overlap(split, other, images, int(same_label.sum())))
    conflicting = [group for group in groups if len(np.unique(dataset.labels[group])) > 1]
    return Copies(groups, conflicting, tuple(overlaps))


def _occurrences(values: Indices, among: Indices) -> Indices:
    """How often each of `values` occurs in `among`; both hold numbers from 0 up."""
    return np.bincount(among, minlength=int(values.max(initial=0)) + 1)[values]
