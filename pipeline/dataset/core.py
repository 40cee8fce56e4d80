"""What a dataset is: three splits of labelled grey faces, and where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError
from pipeline.labels import NUM_EMOTIONS

FORMAT_VERSION = 1
IMAGE_SIZE = 48


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
        if not isinstance(value, dict):
            raise DatasetError("damaged dataset description (no table): import the dataset again")
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
class Edits:
    """What an overlay made of a dataset; see `overlay`.

    Attributes:
        version: Of the overlay.
        num_excluded: Images that it leaves out.
        num_relabelled: Images that are left and have another label.
        official: The dataset as it was imported.
    """

    version: int
    num_excluded: int
    num_relabelled: int
    official: Dataset


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
        edits: The edits that it carries; `None` as it was imported.
    """

    name: str
    folder: Path
    meta: DatasetMeta
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    split_codes: npt.NDArray[np.uint8]
    votes: npt.NDArray[np.uint8] | None = field(default=None)
    origins: npt.NDArray[np.bytes_] | None = field(default=None)
    edits: Edits | None = field(default=None)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def official(self) -> Dataset:
        """The dataset as it was imported, whose figures compare between runs."""
        return self if self.edits is None else self.edits.official

    @property
    def overlay_version(self) -> int | None:
        """The version of the edits that it carries; `None` as it was imported."""
        return None if self.edits is None else self.edits.version

    @property
    def votes_fingerprint(self) -> str | None:
        """SHA-256 of the FER+ votes, which `meta.fingerprint` leaves out; `None` without any."""
        if self.votes is None:
            return None
        return hashlib.sha256(np.ascontiguousarray(self.votes).data).hexdigest()

    def indices(self, split: Split) -> npt.NDArray[np.intp]:
        """The positions of a split's images, ascending."""
        return np.flatnonzero(self.split_codes == SPLITS.index(split))

    def origin(self, index: int) -> str:
        """Where the image at `index` came from, in words."""
        if self.origins is None:
            return f"image {index}"
        return bytes(self.origins[index]).decode("utf-8", "replace")


def count_classes(
    labels: npt.NDArray[np.uint8], splits: npt.NDArray[np.uint8]
) -> dict[str, list[int]]:
    """Images per split and class, `{split: [seven counts]}`."""
    return {
        split.value: np.bincount(labels[splits == code], minlength=NUM_EMOTIONS).tolist()
        for code, split in enumerate(SPLITS)
    }
