"""One change to the images of a dataset: excluded, relabelled, restored, or undone."""

from __future__ import annotations

from collections.abc import Iterable
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
    return Edit(EditKind.RELABEL, _ascending(images), label=EMOTIONS[label].name, note=note)


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
