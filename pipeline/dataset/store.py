"""Datasets on disk: memory-mapped arrays and a `meta.json`, one folder each.

data/<name>/
    images.npy    uint8 (n, height, width), grey
    labels.npy    uint8 (n,), index into `labels.EMOTIONS`
    splits.npy    uint8 (n,), index into `SPLITS`
    origins.npy   bytes (n,), where each image came from; optional
    votes.npy     uint8 (n, 10), FER+ votes; optional
    meta.json     what it is, where it came from, fingerprint, counts
data/.inspections/<name>.npz   what an inspection found; see `inspection`
data/.inspections/<name>.maps/ maps of the images; see `maps`
data/.overlays/<name>@….json   exclusions and relabels; see `overlay`
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from pipeline.dataset.core import IMAGE_SIZE, Dataset, DatasetMeta
from pipeline.dataset.overlay import OverlayStore
from pipeline.dataset.writer import VOTES, DatasetWriter, check_votes
from pipeline.errors import DatasetError, DatasetNotFoundError
from pipeline.files import (
    ARRAYS_DAMAGED,
    read_json,
    replaced_file,
    replaced_folder,
    write_json,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class DatasetStore:
    """The imported datasets below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """The names of all complete datasets, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(
            folder.name
            for folder in self.root.iterdir()
            if _NAME.fullmatch(folder.name) and (folder / "meta.json").is_file()
        )

    def open(self, name: str) -> Dataset:
        """Opens a dataset without reading its pixels.

        Raises:
            DatasetNotFoundError: If there is none of that name.
            DatasetError: If its files are damaged.
        """
        folder = self.folder(name)
        meta = self.meta(name)
        try:
            arrays = {
                key: np.load(folder / f"{key}.npy", mmap_mode="r")
                for key in ("images", "labels", "splits", "votes", "origins")
                if key in ("images", "labels", "splits") or (folder / f"{key}.npy").exists()
            }
        except ARRAYS_DAMAGED as error:
            raise DatasetError(f"dataset {name!r} is damaged ({error}): import it again") from error
        if any(len(array) != meta.num_samples for array in arrays.values()):
            raise DatasetError(
                f"dataset {name!r} is damaged (arrays of different lengths): import it again"
            )
        return Dataset(
            name=name,
            folder=folder,
            meta=meta,
            images=arrays["images"],
            labels=arrays["labels"],
            split_codes=arrays["splits"],
            votes=arrays.get("votes"),
            origins=arrays.get("origins"),
        )

    def meta(self, name: str) -> DatasetMeta:
        """What a dataset's `meta.json` says.

        Raises:
            DatasetError: If it cannot be read.
        """
        try:
            return DatasetMeta.from_dict(read_json(self.root / name / "meta.json"))
        except (OSError, ValueError) as error:  # not JSON, or not even text
            raise DatasetError(f"dataset {name!r} is damaged ({error}): import it again") from error

    @contextmanager
    def writer(
        self, name: str, image_size: tuple[int, int] = (IMAGE_SIZE, IMAGE_SIZE)
    ) -> Iterator[DatasetWriter]:
        """A writer whose dataset takes the place of `name` when the block ends.

        An existing dataset of that name stays untouched if the block raises.

        Raises:
            DatasetError: If the name is not one that a folder can have, or
                another process is writing a dataset of that name.
        """
        check_name(name)
        self._sweep(name)
        with (
            self._writing(name),
            replaced_folder(self.root / name) as folder,
            DatasetWriter(folder, image_size) as made,
        ):
            yield made
            if not (folder / "meta.json").exists():
                raise DatasetError("the writer's `finish` was not called")

    def attach_votes(self, name: str, votes: npt.NDArray[np.uint8], source: str) -> Dataset:
        """Adds FER+ votes to a dataset.

        Args:
            name: The dataset.
            votes: `uint8`, shape `(n, 10)`, in the dataset's order.
            source: The file they were read from.

        Raises:
            DatasetError: If their number does not fit, or another process is
                writing the dataset.
        """
        with self._writing(name):
            dataset = self.open(name)
            check_votes(votes, len(dataset), name)
            with replaced_file(dataset.folder / VOTES) as file:
                np.save(file, votes)
            meta = replace(dataset.meta, votes_source=source)
            write_json(dataset.folder / "meta.json", meta.to_dict())
            return self.open(name)

    def delete(self, name: str) -> None:
        """Removes a dataset for good, damaged or not, with all that was made for it.

        That is its inspection, its maps and the edits of it; trained runs stay.

        Raises:
            DatasetNotFoundError: If there is none of that name.
        """
        folder = self.folder(name)
        # Out of sight in one step, so that nobody opens it half removed.
        aside = folder.with_name(f".{name}.{uuid.uuid4().hex[:8]}.deleted")
        folder.replace(aside)
        inspection_path(self.root, name).unlink(missing_ok=True)
        shutil.rmtree(maps_path(self.root, name), ignore_errors=True)
        OverlayStore(self.root).delete(name)
        self._sweep(name)

    def _sweep(self, name: str) -> None:
        """Removes what deleting left, this time or when it was killed halfway."""
        for folder in self.root.glob(f".{name}.????????.deleted"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Keeps others from writing a dataset of that name; a dead process lets go of it."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / f".{name}.lock")
        try:
            held = lock.acquire(timeout=0)
        except Timeout as error:
            raise DatasetError(
                f"dataset {name!r} is being imported already: wait for it, or choose another name"
            ) from error
        with held:
            yield

    def folder(self, name: str) -> Path:
        """The folder of a dataset, damaged or not.

        Raises:
            DatasetNotFoundError: If there is none of that name.
        """
        names = self.names()
        if name not in names:
            known = ", ".join(names) or "none yet"
            raise DatasetNotFoundError(f"no dataset named {name!r} in {self.root} (there: {known})")
        return self.root / name


def inspection_path(root: Path, name: str) -> Path:
    """Where the inspection of a dataset is kept, there or not."""
    return root / ".inspections" / f"{name}.npz"


def maps_path(root: Path, name: str) -> Path:
    """The folder of a dataset's maps, there or not."""
    return root / ".inspections" / f"{name}.maps"


def check_name(name: str) -> None:
    """Refuses a dataset name that is not safe as a folder's name.

    Raises:
        DatasetError: If it is not.
    """
    if not _NAME.fullmatch(name):
        raise DatasetError(
            f"{name!r} cannot name a dataset: use lower-case letters, digits, '.', '_' and '-', "
            "64 at most"
        )
