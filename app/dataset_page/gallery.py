"""Which images are shown and in what order; what is known of one. No Streamlit in here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from app.charts import SPLIT_TITLES
from app.faces import montage, png_url
from pipeline.dataset import SPLITS, Dataset, Split, ferplus
from pipeline.dataset.inspection import Inspection
from pipeline.dataset.overlay import Overlay
from pipeline.labels import EMOTIONS

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class CopyFilter(StrEnum):
    """Whether an image has copies."""

    ANY = "Any"
    EXACT = "Identical copy"
    NEAR = "Near copy"
    LEAK = "Test, copy in training"
    NONE = "No copy"


class VoteFilter(StrEnum):
    """How an image's label stands to what FER+ taggers say."""

    ANY = "Any"
    AGREES = "Majority agrees"
    DIFFERS = "Majority differs"
    NONE = "No majority"


class EditFilter(StrEnum):
    """What the overlay does to an image."""

    ANY = "Any"
    UNTOUCHED = "Untouched"
    EXCLUDED = "Excluded"
    RELABELLED = "Relabelled"


class Order(StrEnum):
    """In what order images are shown."""

    SHUFFLED = "Shuffled"
    INDEX = "By index"
    DARK = "Darkest first"
    BRIGHT = "Brightest first"
    BLURRED = "Least sharp first"
    SHARP = "Sharpest first"


@dataclass(frozen=True)
class Filters:
    """What the shown images have in common.

    Attributes:
        classes: Their labels, as indices into `labels.EMOTIONS`; empty: any.
        splits: Their splits; empty: any.
        brightness: Lowest and highest mean grey value, or `None`.
        sharpness: Lowest and highest `Measures.sharpness`, or `None`.
        copies: Whether they have copies.
        votes: What FER+ taggers say of their label.
        edits: What the overlay does to them.
        among: Only these, or `None` for all.
    """

    classes: tuple[int, ...] = ()
    splits: tuple[Split, ...] = ()
    brightness: tuple[float, float] | None = None
    sharpness: tuple[float, float] | None = None
    copies: CopyFilter = CopyFilter.ANY
    votes: VoteFilter = VoteFilter.ANY
    edits: EditFilter = EditFilter.ANY
    among: tuple[int, ...] | None = None


def select(
    dataset: Dataset, found: Inspection | None, overlay: Overlay, filters: Filters
) -> Indices:
    """The images that pass the filters, ascending.

    Args:
        dataset: Where from.
        found: Its inspection; without it the filters that need one pass all.
        overlay: The edits made so far.
        filters: What is wanted.
    """
    keep = np.ones(len(dataset), bool)
    if filters.among is not None:
        keep = _mask(len(dataset), np.array(filters.among, np.intp))
    if filters.classes:
        # As the line below each face shows it.
        keep &= np.isin(overlay.labels(dataset), filters.classes)
    if filters.splits:
        keep &= np.isin(dataset.split_codes, [SPLITS.index(split) for split in filters.splits])
    if dataset.votes is not None and filters.votes is not VoteFilter.ANY:
        keep &= _by_votes(dataset.labels, dataset.votes, filters.votes)
    if filters.edits is not EditFilter.ANY:
        keep &= _by_edits(len(dataset), overlay, filters.edits)
    if found is not None:
        for _, limits, values in _ranges(found, filters):
            if limits is not None:
                keep &= (values >= limits[0]) & (values <= limits[1])
        if filters.copies is not CopyFilter.ANY:
            keep &= _by_copies(len(dataset), found, filters.copies)
    return np.flatnonzero(keep)


def narrowing(found: Inspection | None, filters: Filters) -> list[str]:
    """The names of those of the less visible filters that leave images out."""
    names = [
        name
        for name, value in (
            ("copies", filters.copies),
            ("FER+ taggers", filters.votes),
            ("edits", filters.edits),
        )
        if value != "Any"
    ]
    if found is not None:
        for name, limits, values in _ranges(found, filters):
            if limits and (values.min() < limits[0] or values.max() > limits[1]):
                names.append(name)
    return names


def arrange(indices: Indices, order: Order, seed: int, found: Inspection | None) -> Indices:
    """Puts images in order; equal seeds shuffle equally."""
    if order is Order.SHUFFLED:
        return np.random.default_rng(seed).permutation(indices)
    if order is Order.INDEX or found is None:
        return indices
    measures = found.quality.measures
    by_light = order in (Order.DARK, Order.BRIGHT)
    values = (measures.brightness if by_light else measures.sharpness)[indices]
    if order in (Order.BRIGHT, Order.SHARP):
        values = -values
    return indices[np.argsort(values, kind="stable")]


def sheet(
    dataset: Dataset, indices: Indices, overlay: Overlay, notes: list[str] | None = None
) -> dict[str, Any]:
    """One picture of many faces, and what to say of each, for `app.dataset_page.grid`.

    Args:
        dataset: Where from.
        indices: The faces, in order; one or more.
        overlay: Tells which are excluded or relabelled.
        notes: A few words below each face, instead of its index.
    """
    columns = math.ceil(math.sqrt(len(indices)))
    # A memory-mapped array is read in the order of the file.
    ordered, back = np.unique(indices, return_inverse=True)
    faces = np.asarray(dataset.images[ordered])[back]
    items = []
    for place, index in enumerate(indices.tolist()):
        emotion = EMOTIONS[overlay.relabelled.get(index, int(dataset.labels[index]))]
        split = SPLIT_TITLES[SPLITS[int(dataset.split_codes[index])]]
        state = _edit_words(overlay, index)
        note = notes[place] if notes else f"{index:,}"
        said = f"Image {index:,}, {emotion.title}, {split}{f', {state}' if state else ''}"
        items.append(
            {
                "index": index,
                "color": emotion.color,
                "note": note,
                "label": f"{said}, {note}" if notes else said,
                "state": state,
            }
        )
    return {
        "sprite": png_url(montage(faces, columns)),
        "columns": columns,
        "rows": -(-len(indices) // columns),
        "ratio": dataset.images.shape[2] / dataset.images.shape[1],
        "items": items,
    }


def copies_of(found: Inspection, index: int) -> tuple[Indices, Indices]:
    """The other images identical with one, and the other near copies that are not."""
    exact = _others(found.quality.exact.groups, index)
    near = np.setdiff1d(_others(found.quality.near.groups, index), exact)
    return exact, near


def facts(dataset: Dataset, found: Inspection | None, index: int) -> list[tuple[str, str]]:
    """All that is known of an image, as names and values."""
    split = SPLITS[int(dataset.split_codes[index])]
    title, usage = SPLIT_TITLES[split], split.usage
    known = [
        ("Index", f"{index:,}"),
        ("Label", EMOTIONS[int(dataset.labels[index])].title),
        ("Split", title if usage == title else f"{title} ({usage})"),
        ("From", dataset.origin(index)),
    ]
    if found is not None:
        measures = found.quality.measures
        known += [
            ("Brightness", f"{measures.brightness[index]:.0f} of 255"),
            ("5 % to 95 % of pixels", f"{measures.low[index]} to {measures.high[index]}"),
            ("Sharpness", f"{measures.sharpness[index]:.2f}"),
        ]
        flags = [FAULTS[name] for name, at in measures.faults().items() if at[index]]
        known.append(("Flags", ", ".join(flags) or "none"))
    if dataset.votes is not None:
        known.append(("FER+ votes", vote_words(dataset.votes[index])))
    return known


def vote_words(cast: npt.NDArray[np.uint8]) -> str:
    """The FER+ votes for an image: `happiness 9, neutral 1`.

    Args:
        cast: Shape `(10,)`, in the order of `ferplus.COLUMNS`.
    """
    counts = zip(ferplus.COLUMNS, cast, strict=True)
    return ", ".join(f"{column} {count}" for column, count in counts if count) or "none"


FAULTS = {
    "constant": "Constant",
    "blank": "Blank",
    "too_dark": "Dark",
    "too_bright": "Bright",
    "low_contrast": "Low contrast",
    "blurred": "Blurred",
}
"""The names of `Measures.faults` in the interface."""


def _ranges(
    found: Inspection, filters: Filters
) -> list[tuple[str, tuple[float, float] | None, npt.NDArray[np.float32]]]:
    measures = found.quality.measures
    return [
        ("brightness", filters.brightness, measures.brightness),
        ("sharpness", filters.sharpness, measures.sharpness),
    ]


def _mask(number: int, indices: Indices) -> Mask:
    mask = np.zeros(number, bool)
    mask[indices] = True
    return mask


def _by_votes(
    labels: npt.NDArray[np.uint8], votes: npt.NDArray[np.uint8], wanted: VoteFilter
) -> Mask:
    emotion, clear = ferplus.majority(votes)
    if wanted is VoteFilter.NONE:
        return ~clear
    agrees: Mask = emotion == labels
    return clear & (agrees if wanted is VoteFilter.AGREES else ~agrees)


def _by_edits(number: int, overlay: Overlay, wanted: EditFilter) -> Mask:
    excluded = _mask(number, np.array(sorted(overlay.excluded), np.intp))
    relabelled = _mask(number, np.array(sorted(overlay.relabelled), np.intp))
    if wanted is EditFilter.EXCLUDED:
        return excluded
    if wanted is EditFilter.RELABELLED:
        return relabelled
    return ~(excluded | relabelled)


def _by_copies(number: int, found: Inspection, wanted: CopyFilter) -> Mask:
    exact, near = found.quality.exact, found.quality.near
    if wanted is CopyFilter.LEAK:
        leaks = [part.overlap(Split.TEST, Split.TRAIN).images for part in (exact, near)]
        return _mask(number, np.concatenate(leaks))
    in_exact = _mask(number, np.concatenate([np.empty(0, np.intp), *exact.groups]))
    in_near = _mask(number, np.concatenate([np.empty(0, np.intp), *near.groups]))
    if wanted is CopyFilter.EXACT:
        return in_exact
    return in_near if wanted is CopyFilter.NEAR else ~(in_exact | in_near)


def _others(groups: list[Indices], index: int) -> Indices:
    for group in groups:
        place = np.searchsorted(group, index)
        if place < len(group) and group[place] == index:
            return np.delete(group, place)
    return np.empty(0, np.intp)


def _edit_words(overlay: Overlay, index: int) -> str:
    words = ["excluded"] if index in overlay.excluded else []
    return " and ".join(words + (["relabelled"] if index in overlay.relabelled else []))
