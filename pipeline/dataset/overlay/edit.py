"""One change to the images of a dataset: excluded, relabelled, restored, or undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pipeline.errors import DatasetError
from pipeline.labels import EMOTIONS, NAMES


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
        labels: The new class name of each image, for `relabel` only.
        note: Why, in the words of whoever did it.
        created: ISO 8601 in UTC.
    """

    kind: EditKind
    images: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    note: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict[str, Any]:
        """The edit, ready for JSON."""
        value: dict[str, Any] = {
            "kind": self.kind.value,
            "images": list(self.images),
            "label": None,
            "note": self.note,
            "created": self.created,
        }
        if len(set(self.labels)) == 1:
            value["label"] = self.labels[0]
        elif self.labels:
            value["labels"] = list(self.labels)
        return value

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Edit:
        """Reads what `to_dict` made.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        kind, images = EditKind(value["kind"]), tuple(int(index) for index in value["images"])
        labels: tuple[str, ...] = ()
        if kind is EditKind.RELABEL:
            labels = tuple(value.get("labels") or [value["label"]] * len(images))
            unknown = [label for label in labels if label not in NAMES]
            if unknown:
                raise ValueError(f"no emotion is called {unknown[0]!r}")
            if len(labels) != len(images):
                raise ValueError(f"{len(images)} images have {len(labels)} labels")
        return cls(kind, images, labels, str(value["note"]), str(value["created"]))

    def check(self, number: int) -> None:
        """Refuses an edit that names no image, or one that is not there.

        Args:
            number: How many images the dataset has.

        Raises:
            DatasetError: If it does.
        """
        if self.kind is EditKind.UNDO:
            return
        if not self.images:
            raise DatasetError("an edit needs one image at least, got none")
        if not 0 <= self.images[0] <= self.images[-1] < number:
            raise DatasetError(
                f"images must be from 0 to {number - 1}, got {self.images[0]} to {self.images[-1]}"
            )


def exclude(images: Iterable[int], note: str = "") -> Edit:
    """Leaves images out."""
    return Edit(EditKind.EXCLUDE, _ascending(images), note=note)


def relabel(images: Iterable[int], label: int, note: str = "") -> Edit:
    """Gives images another label, an index into `labels.EMOTIONS`."""
    return relabel_each(dict.fromkeys(images, label), note)


def relabel_each(labels: Mapping[int, int], note: str = "") -> Edit:
    """Gives each image a label of its own.

    Args:
        labels: The new label of each image, as an index into `labels.EMOTIONS`.
        note: Why.
    """
    images = _ascending(labels)
    names = tuple(EMOTIONS[labels[index]].name for index in images)
    return Edit(EditKind.RELABEL, images, names, note)


def restore(images: Iterable[int]) -> Edit:
    """Takes back all that was done to images."""
    return Edit(EditKind.RESTORE, _ascending(images))


def undo() -> Edit:
    """Takes back the latest edit that still holds."""
    return Edit(EditKind.UNDO)


def holding(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that no later `undo` took back."""
    holding: list[Edit] = []
    for edit in edits:
        if edit.kind is not EditKind.UNDO:
            holding.append(edit)
        elif holding:
            holding.pop()
    return holding


def _ascending(images: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({int(index) for index in images}))
