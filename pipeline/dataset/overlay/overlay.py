"""Exclusions and relabels beside a dataset, whose own files are never changed.

data/.overlays/<name>@<fingerprint>.json is a list of edits in order. Nothing is
ever taken out of it: to undo is one more edit, so a version number means the
same set of changes for good, and a training can name the version that it was
made with. The name of the file tells the data apart: other data imported under
the same name begin without edits, and the old data, imported again, find theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from pipeline.dataset.core import Dataset, Edits, count_classes
from pipeline.errors import DatasetError
from pipeline.files import read_json, write_json
from pipeline.labels import EMOTIONS, NAMES, label_index

FORMAT_VERSION = 1
NO_EDITS = "none"
LATEST = "latest"

_LOCK_SECONDS = 5.0
_FINGERPRINT_DIGITS = 16


class OverlayConflictError(DatasetError):
    """Somebody else has edited the overlay meanwhile."""


class EditKind(StrEnum):
    """What an edit does to its images."""

    EXCLUDE = "exclude"
    RELABEL = "relabel"
    RESTORE = "restore"
    UNDO = "undo"


@dataclass(frozen=True)
class Edit:
    """One change, as the file holds it.

    Attributes:
        kind: What it does; `restore` takes back all that was done to its
            images, `undo` the latest edit that still holds.
        images: Indices into the dataset; none for `undo`.
        label: The new class name, for `relabel` only.
        note: Why, in the words of whoever did it.
        created: ISO 8601 in UTC.
    """

    kind: EditKind
    images: tuple[int, ...] = ()
    label: str | None = None
    note: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict[str, Any]:
        """The edit, ready for JSON."""
        return {
            "kind": self.kind.value,
            "images": list(self.images),
            "label": self.label,
            "note": self.note,
            "created": self.created,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Edit:
        """Reads what `to_dict` made.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        edit = cls(
            EditKind(value["kind"]),
            tuple(int(index) for index in value["images"]),
            value["label"],
            str(value["note"]),
            str(value["created"]),
        )
        if edit.kind is EditKind.RELABEL and edit.label not in NAMES:
            raise ValueError(f"no emotion is called {edit.label!r}")
        return edit


@dataclass(frozen=True)
class Overlay:
    """What a list of edits comes to.

    Attributes:
        fingerprint: Of the dataset that the edits were made for.
        edits: All of them, the oldest first.
        excluded: Images that are left out.
        relabelled: The new label of each image that has one, as an index into
            `labels.EMOTIONS`.
    """

    fingerprint: str
    edits: tuple[Edit, ...] = ()
    excluded: frozenset[int] = frozenset()
    relabelled: dict[int, int] = field(default_factory=dict)

    @classmethod
    def replay(cls, fingerprint: str, edits: Iterable[Edit]) -> Overlay:
        """Carries edits out in order."""
        edits = tuple(edits)
        excluded: set[int] = set()
        relabelled: dict[int, int] = {}
        for edit in _holding(edits):
            if edit.kind is EditKind.EXCLUDE:
                excluded.update(edit.images)
            elif edit.kind is EditKind.RELABEL:
                relabelled.update(dict.fromkeys(edit.images, label_index(edit.label or "")))
            else:
                excluded.difference_update(edit.images)
                for index in edit.images:
                    relabelled.pop(index, None)
        return cls(fingerprint, edits, frozenset(excluded), relabelled)

    @property
    def version(self) -> int:
        """The number of edits ever made; 0 for none."""
        return len(self.edits)

    @property
    def num_relabelled(self) -> int:
        """Images that are left and have another label."""
        return len(set(self.relabelled) - self.excluded)

    @property
    def last(self) -> Edit | None:
        """The edit that `undo` would take back."""
        return next(iter(_holding(self.edits)[::-1]), None)

    def at(self, version: int) -> Overlay:
        """The overlay as it was at a version.

        Raises:
            DatasetError: If there has been no such version.
        """
        if not 0 <= version <= self.version:
            raise DatasetError(
                f"the edits have versions 0 to {self.version}, got version {version}"
            )
        return Overlay.replay(self.fingerprint, self.edits[:version])

    def apply(self, dataset: Dataset) -> Dataset:
        """The dataset with the edits carried out, in memory.

        Args:
            dataset: The one that the edits were made for.

        Returns:
            A dataset without the excluded images and with the new labels, with
            counts, a note and a fingerprint of its own; its `edits` tell the
            version. Relabelled images lose their FER+ votes: whoever relabels
            an image overrules them. If no edit holds, the dataset itself.

        Raises:
            DatasetError: If the edits were made for other data, or nothing
                would be left.
        """
        self.check(dataset)
        if not self.excluded and not self.relabelled:
            return dataset
        labels = np.array(dataset.labels)
        labels[list(self.relabelled)] = list(self.relabelled.values())
        keep = np.ones(len(dataset), bool)
        keep[list(self.excluded)] = False
        if not keep.any():
            raise DatasetError(
                f"the overlay of {dataset.name!r} excludes every image: restore some of them"
            )
        # Without exclusions the pixels need not be copied.
        chosen: Any = keep if self.excluded else slice(None)
        images, labels = dataset.images[chosen], labels[chosen]
        splits = dataset.split_codes[chosen]
        digest = hashlib.sha256(np.ascontiguousarray(images).data)
        digest.update(labels.data)
        digest.update(np.ascontiguousarray(splits).data)
        edits = Edits(
            self.version,
            num_excluded=len(self.excluded),
            num_relabelled=self.num_relabelled,
            official=dataset,
        )
        meta = replace(
            dataset.meta,
            fingerprint=digest.hexdigest(),
            num_samples=len(labels),
            counts=count_classes(labels, splits),
            notes=(*dataset.meta.notes, _note(edits)),
        )
        return replace(
            dataset,
            meta=meta,
            images=images,
            labels=labels,
            split_codes=splits,
            votes=None if dataset.votes is None else self._votes(dataset.votes)[chosen],
            origins=None if dataset.origins is None else dataset.origins[chosen],
            edits=edits,
        )

    def check(self, dataset: Dataset) -> None:
        """Refuses data that the edits were not made for.

        Raises:
            DatasetError: If the fingerprints differ, or an edit names an image
                that is not there.
        """
        if self.edits and self.fingerprint != dataset.meta.fingerprint:
            raise DatasetError(
                f"the overlay of {dataset.name!r} was made for other data (fingerprint "
                f"{self.fingerprint[:12]}, not {dataset.meta.fingerprint[:12]}): import that data "
                "again, or delete the overlay"
            )
        touched = self.excluded | set(self.relabelled)
        if touched and not 0 <= min(touched) <= max(touched) < len(dataset):
            raise DatasetError(
                f"the overlay of {dataset.name!r} names image {max(touched)}, but there are "
                f"{len(dataset)}: the file is damaged"
            )

    def _votes(self, votes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        left = np.array(votes)
        left[list(self.relabelled)] = 0
        return left


class OverlayStore:
    """The overlays beside the datasets below one folder; safe for several processes.

    Args:
        root: The folder of the datasets, as for `DatasetStore`.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / ".overlays"

    def path(self, dataset: Dataset) -> Path:
        """The file of a dataset's overlay, there or not."""
        return self._folder / f"{self._stem(dataset)}.json"

    def load(self, dataset: Dataset) -> Overlay:
        """The overlay of a dataset; an empty one if nothing was ever edited.

        Raises:
            DatasetError: If the file is damaged, or was made for other data.
        """
        path = self.path(dataset)
        try:
            stored = read_json(path)
        except FileNotFoundError:
            return Overlay(dataset.meta.fingerprint)
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
        try:
            if stored["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format {stored['format_version']!r}, not {FORMAT_VERSION}")
            edits = [Edit.from_dict(value) for value in stored["edits"]]
            overlay = Overlay.replay(str(stored["fingerprint"]), edits)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(path, error) from error
        overlay.check(dataset)
        return overlay

    def add(self, dataset: Dataset, edit: Edit, *, based_on: int) -> Overlay:
        """Adds an edit and writes the file in one step.

        Args:
            dataset: The dataset whose images are meant.
            edit: What to do.
            based_on: The version that whoever edits has before them.

        Returns:
            The overlay with the edit.

        Raises:
            OverlayConflictError: If the file has another version by now.
            DatasetError: If the edit cannot be made, or the file is damaged.
        """
        _check_edit(edit, len(dataset))
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / f".{self._stem(dataset)}.lock", timeout=_LOCK_SECONDS):
                return self._add(dataset, edit, based_on)
        except Timeout as error:
            raise OverlayConflictError(
                f"the edits of {dataset.name!r} are being written by somebody else: try again"
            ) from error

    def edited(self, dataset: Dataset, edits: str | int) -> Dataset:
        """A dataset with the edits that somebody chose.

        Args:
            dataset: The dataset as it was imported.
            edits: `none`, `latest`, or the number of a version.

        Returns:
            What `Overlay.apply` gives; the dataset itself for `none`, or if no
            edit holds.

        Raises:
            DatasetError: If it is none of these, there has been no such version,
                or the overlay cannot be applied.
        """
        if edits == NO_EDITS:
            return dataset
        overlay = self.load(dataset)
        if edits == LATEST:
            return overlay.apply(dataset)
        if not str(edits).isdecimal():
            raise DatasetError(
                f"the edits must be {NO_EDITS!r}, {LATEST!r} or the number of a version, got "
                f"{edits!r}"
            )
        try:
            chosen = overlay.at(int(edits))
        except DatasetError as error:
            raise DatasetError(f"dataset {dataset.name!r}: {error}") from error
        return chosen.apply(dataset)

    def delete(self, name: str) -> None:
        """Removes all edits ever made of the data under a name, for good."""
        # No name of a dataset has an `@`, so those of `a` are never those of `a.b`.
        for pattern in (f"{name}@*.json", f".{name}@*.lock"):
            for path in self._folder.glob(pattern):
                path.unlink(missing_ok=True)

    def _stem(self, dataset: Dataset) -> str:
        return f"{dataset.name}@{dataset.meta.fingerprint[:_FINGERPRINT_DIGITS]}"

    def _add(self, dataset: Dataset, edit: Edit, based_on: int) -> Overlay:
        now = self.load(dataset)
        if now.version != based_on:
            raise OverlayConflictError(
                f"the edits of {dataset.name!r} were changed elsewhere (version {now.version}, "
                f"not {based_on}): nothing was saved; look again and repeat the edit"
            )
        if edit.kind is EditKind.UNDO and now.last is None:
            raise DatasetError(f"there is no edit of {dataset.name!r} to undo")
        changed = Overlay.replay(dataset.meta.fingerprint, (*now.edits, edit))
        write_json(
            self.path(dataset),
            {
                "format_version": FORMAT_VERSION,
                "dataset": dataset.name,
                "fingerprint": changed.fingerprint,
                "edits": [item.to_dict() for item in changed.edits],
            },
        )
        return changed


def exclude(images: Iterable[int], note: str = "") -> Edit:
    """Leaves images out."""
    return Edit(EditKind.EXCLUDE, _ascending(images), note=note)


def relabel(images: Iterable[int], label: int, note: str = "") -> Edit:
    """Gives images another label, an index into `labels.EMOTIONS`."""
    return Edit(EditKind.RELABEL, _ascending(images), label=EMOTIONS[label].name, note=note)


def restore(images: Iterable[int]) -> Edit:
    """Takes back all that was done to images."""
    return Edit(EditKind.RESTORE, _ascending(images))


def undo() -> Edit:
    """Takes back the latest edit that still holds."""
    return Edit(EditKind.UNDO)


def _note(edits: Edits) -> str:
    return (
        f"overlay version {edits.version}: {edits.num_excluded:,} images excluded, "
        f"{edits.num_relabelled:,} relabelled"
    )


def _ascending(images: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({int(index) for index in images}))


def _holding(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that no later `undo` took back."""
    holding: list[Edit] = []
    for edit in edits:
        if edit.kind is not EditKind.UNDO:
            holding.append(edit)
        elif holding:
            holding.pop()
    return holding


def _check_edit(edit: Edit, number: int) -> None:
    if edit.kind is EditKind.UNDO:
        return
    if not edit.images:
        raise DatasetError("an edit needs one image at least, got none")
    if not 0 <= edit.images[0] <= edit.images[-1] < number:
        raise DatasetError(
            f"images must be from 0 to {number - 1}, got {edit.images[0]} to {edit.images[-1]}"
        )


def _damaged(path: Path, error: Exception) -> DatasetError:
    return DatasetError(
        f"{path} is damaged ({json.dumps(str(error))[1:-1]}): delete it to start with no edits"
    )
