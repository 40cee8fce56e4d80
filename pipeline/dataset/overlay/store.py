"""Overlays on disk: one file beside each dataset, to which edits are only ever added."""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.dataset.core import Dataset
from pipeline.dataset.overlay.edit import Edit, EditKind
from pipeline.dataset.overlay.overlay import Overlay
from pipeline.errors import DatasetError
from pipeline.files import read_json, write_json

FORMAT_VERSION = 1
NO_EDITS = "none"
LATEST = "latest"

_LOCK_SECONDS = 5.0
_FINGERPRINT_DIGITS = 16


class OverlayConflictError(DatasetError):
    """Somebody else has edited the overlay meanwhile."""


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
        edit.check(len(dataset))
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


def _damaged(path: Path, error: Exception) -> DatasetError:
    return DatasetError(
        f"{path} is damaged ({json.dumps(str(error))[1:-1]}): delete it to start with no edits"
    )
