"""Datasets on disk: memory-mapped arrays and a `meta.json`, one folder each.

data/<name>/
    images.npy    uint8 (n, height, width), grey
    labels.npy    uint8 (n,), index into `labels.EMOTIONS`
    splits.npy    uint8 (n,), index into `SPLITS`
    origins.npy   bytes (n,), where each image came from; optional
    votes.npy     uint8 (n, 10), FER+ votes; optional
    meta.json     what it is, where it came from, fingerprint, counts
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError, DatasetNotFoundError
from pipeline.files import read_json, replaced_folder, write_json
from pipeline.labels import NUM_EMOTIONS

FORMAT_VERSION = 1
IMAGE_SIZE = 48

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ORIGIN_BYTES = 96


class Split(StrEnum):
    """The three parts of a dataset; FER-2013 calls them by the names in `usage`."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"

    @property
    def usage(self) -> str:
        """The word that FER-2013's `Usage` column has for this split."""
        return {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}[self.value]


SPLITS: tuple[Split, ...] = tuple(Split)


@dataclass(frozen=True)
class DatasetMeta:
    """What `meta.json` says of a dataset.

    Attributes:
        title: The name the interface shows.
        source: Path or address that the data was read from.
        kind: The form it was read from, such as `csv`, `folder` or `synthetic`.
        fingerprint: SHA-256 over pixels, labels and splits in order: equal for
            equal data, whatever file it came in.
        num_samples: The number of images.
        image_size: Height and width in pixels.
        counts: Images per split and class, `{split: [seven counts]}`.
        created: When it was imported, ISO 8601 in UTC.
        synthetic: Whether the images are drawn, not photographed; wherever such
            data appears it is labelled so.
        votes_source: The file of the attached FER+ votes, if any.
        notes: What the import did beyond copying, in sentences.
    """

    title: str
    source: str
    kind: str
    fingerprint: str
    num_samples: int
    image_size: tuple[int, int]
    counts: dict[str, list[int]]
    created: str
    synthetic: bool = False
    votes_source: str | None = None
    notes: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """The content of `meta.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> DatasetMeta:
        """Reads what `to_dict` made.

        Raises:
            DatasetError: If a field is missing or from a newer version.
        """
        if value.get("format_version") != FORMAT_VERSION:
            raise DatasetError(
                f"dataset format {value.get('format_version')!r} is not the supported "
                f"{FORMAT_VERSION}: import the dataset again"
            )
        try:
            known = {**value, "image_size": tuple(value["image_size"])}
            known["notes"] = tuple(value.get("notes", ()))
            return cls(**known)
        except (KeyError, TypeError) as error:
            raise DatasetError(
                f"damaged dataset description ({error}): import the dataset again"
            ) from error


@dataclass(frozen=True)
class Dataset:
    """An imported dataset; the arrays are memory-mapped and read-only.

    Attributes:
        name: The folder's name, by which commands refer to it.
        folder: Where it lies.
        meta: What `meta.json` says.
        images: `uint8` grey in `[0, 255]`, shape `(n, height, width)`.
        labels: `uint8`, shape `(n,)`, index into `labels.EMOTIONS`.
        split_codes: `uint8`, shape `(n,)`, index into `SPLITS`.
        votes: FER+ votes, `uint8`, shape `(n, 10)`, columns as in
            `ferplus.COLUMNS`; `None` when none are attached.
        origins: Where each image came from (row or file name), `bytes`, shape
            `(n,)`; `None` when not recorded.
    """

    name: str
    folder: Path
    meta: DatasetMeta
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    split_codes: npt.NDArray[np.uint8]
    votes: npt.NDArray[np.uint8] | None = field(default=None)
    origins: npt.NDArray[np.bytes_] | None = field(default=None)

    def __len__(self) -> int:
        return len(self.labels)

    def indices(self, split: Split) -> npt.NDArray[np.intp]:
        """The positions of a split's images, ascending."""
        return np.flatnonzero(self.split_codes == SPLITS.index(split))

    def origin(self, index: int) -> str:
        """Where the image at `index` came from, in words."""
        if self.origins is None:
            return f"image {index}"
        return bytes(self.origins[index]).decode("utf-8", "replace")


class DatasetWriter:
    """Takes images as they are read and leaves a complete dataset, or nothing.

    Memory stays flat: pixels go straight to the file. Use it through
    `DatasetStore.writer`.
    """

    def __init__(self, folder: Path, image_size: tuple[int, int]) -> None:
        self._folder = folder
        self._image_size = image_size
        self._digest = hashlib.sha256()
        self._labels: list[npt.NDArray[np.uint8]] = []
        self._splits: list[npt.NDArray[np.uint8]] = []
        self._origins: list[bytes] = []
        self._num_samples = 0
        self._images: BinaryIO = (folder / "images.npy").open("wb")
        self._write_header()

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._images.close()

    @property
    def num_samples(self) -> int:
        """How many images have been appended so far."""
        return self._num_samples

    def append(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.uint8],
        splits: npt.NDArray[np.uint8],
        origins: list[str] | None = None,
    ) -> None:
        """Adds a batch.

        Args:
            images: `uint8`, shape `(k, height, width)`.
            labels: `uint8`, shape `(k,)`, each below seven.
            splits: `uint8`, shape `(k,)`, index into `SPLITS`.
            origins: Where each image came from; given for all batches or none.

        Raises:
            DatasetError: If shapes or ranges do not fit.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self._image_size:
            raise DatasetError(
                f"expected uint8 images of {self._image_size}, got {images.dtype} {images.shape}"
            )
        if len(images) != len(labels) or len(images) != len(splits):
            raise DatasetError(
                f"got {len(images)} images with {len(labels)} labels and {len(splits)} splits"
            )
        if labels.size and int(labels.max()) >= NUM_EMOTIONS:
            raise DatasetError(f"label {int(labels.max())} is not below {NUM_EMOTIONS}")
        if splits.size and int(splits.max()) >= len(SPLITS):
            raise DatasetError(f"split code {int(splits.max())} is not below {len(SPLITS)}")
        pixels = np.ascontiguousarray(images).data
        self._images.write(pixels)
        self._digest.update(pixels)
        self._labels.append(labels.astype(np.uint8))
        self._splits.append(splits.astype(np.uint8))
        if origins is not None:
            # File names need not be text: what cannot be encoded becomes a question mark.
            self._origins.extend(
                text.encode("utf-8", "replace")[:_ORIGIN_BYTES] for text in origins
            )
        self._num_samples += len(images)

    def finish(
        self,
        *,
        title: str,
        source: str,
        kind: str,
        synthetic: bool = False,
        notes: tuple[str, ...] = (),
    ) -> DatasetMeta:
        """Writes everything but the pixels, which are on disk already.

        Raises:
            DatasetError: If no image was appended.
        """
        if not self._num_samples:
            raise DatasetError(f"{source}: no image found; expected at least one")
        self._images.seek(0)
        self._write_header()
        self._images.close()
        labels = np.concatenate(self._labels)
        splits = np.concatenate(self._splits)
        self._digest.update(labels.data)
        self._digest.update(splits.data)
        np.save(self._folder / "labels.npy", labels)
        np.save(self._folder / "splits.npy", splits)
        if self._origins:
            if len(self._origins) != self._num_samples:
                raise DatasetError(
                    f"got {len(self._origins)} origins for {self._num_samples} images"
                )
            np.save(self._folder / "origins.npy", np.array(self._origins, dtype=np.bytes_))
        meta = DatasetMeta(
            title=title,
            source=source,
            kind=kind,
            fingerprint=self._digest.hexdigest(),
            num_samples=self._num_samples,
            image_size=self._image_size,
            counts=count_classes(labels, splits),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            synthetic=synthetic,
            notes=notes,
        )
        write_json(self._folder / "meta.json", meta.to_dict())
        return meta

    def _write_header(self) -> None:
        # NumPy pads the header so that it keeps its length when the first axis grows.
        np.lib.format.write_array_header_1_0(
            self._images,
            {
                "descr": "|u1",
                "fortran_order": False,
                "shape": (self._num_samples, *self._image_size),
            },
        )


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
        folder = self._folder(name)
        meta = self.meta(name)
        try:
            arrays = {
                key: np.load(folder / f"{key}.npy", mmap_mode="r")
                for key in ("images", "labels", "splits", "votes", "origins")
                if key in ("images", "labels", "splits") or (folder / f"{key}.npy").exists()
            }
        except (OSError, EOFError, ValueError) as error:
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
            DatasetError: If the name is not one that a folder can have.
        """
        check_name(name)
        with replaced_folder(self.root / name) as folder, DatasetWriter(folder, image_size) as made:
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
            DatasetError: If their number does not fit.
        """
        dataset = self.open(name)
        if votes.shape[0] != len(dataset):
            raise DatasetError(
                f"expected votes for {len(dataset)} images of {name!r}, got {votes.shape[0]}"
            )
        aside = dataset.folder / ".votes.npy.tmp"
        with aside.open("wb") as file:
            np.save(file, votes)
        aside.replace(dataset.folder / "votes.npy")
        write_json(
            dataset.folder / "meta.json", replace(dataset.meta, votes_source=source).to_dict()
        )
        return self.open(name)

    def delete(self, name: str) -> None:
        """Removes a dataset for good, damaged or not.

        Raises:
            DatasetNotFoundError: If there is none of that name.
        """
        folder = self._folder(name)
        # Out of sight in one step, so that nobody opens it half removed.
        aside = folder.with_name(f".{name}.{uuid.uuid4().hex[:8]}.deleted")
        folder.replace(aside)
        shutil.rmtree(aside)

    def _folder(self, name: str) -> Path:
        names = self.names()
        if name not in names:
            known = ", ".join(names) or "none yet"
            raise DatasetNotFoundError(f"no dataset named {name!r} in {self.root} (there: {known})")
        return self.root / name


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


def count_classes(
    labels: npt.NDArray[np.uint8], splits: npt.NDArray[np.uint8]
) -> dict[str, list[int]]:
    """Images per split and class, `{split: [seven counts]}`."""
    return {
        split.value: np.bincount(labels[splits == code], minlength=NUM_EMOTIONS).tolist()
        for code, split in enumerate(SPLITS)
    }
