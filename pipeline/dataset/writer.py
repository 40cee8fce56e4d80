"""Writing a dataset as its images are read, in flat memory."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pipeline.dataset.core import SPLITS, DatasetMeta, count_classes
from pipeline.errors import DatasetError
from pipeline.files import write_json
from pipeline.labels import NUM_EMOTIONS

VOTES = "votes.npy"

_ORIGIN_BYTES = 96
_CUT = "…".encode()


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
            self._origins.extend(_origin(text) for text in origins)
        self._num_samples += len(images)

    def finish(
        self,
        *,
        title: str,
        source: str,
        kind: str,
        synthetic: bool = False,
        notes: tuple[str, ...] = (),
        votes: tuple[npt.NDArray[np.uint8], str] | None = None,
    ) -> DatasetMeta:
        """Writes everything but the pixels, which are on disk already.

        Args:
            title: What the interface calls the dataset.
            source: Where it came from.
            kind: The form it had there.
            synthetic: Whether its faces are drawn.
            notes: Sentences on what the import did.
            votes: FER+ votes, `uint8`, shape `(n, 10)`, and the file they are from.

        Raises:
            DatasetError: If no image was appended, or there are not as many votes.
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
        if votes is not None:
            check_votes(votes[0], self._num_samples, source)
            np.save(self._folder / VOTES, votes[0])
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
            votes_source=None if votes is None else votes[1],
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


def check_votes(votes: npt.NDArray[np.uint8], num_samples: int, name: str) -> None:
    """Refuses votes that are not as many as the images.

    Raises:
        DatasetError: If they are not.
    """
    if votes.shape[0] != num_samples:
        raise DatasetError(
            f"expected votes for {num_samples} images of {name!r}, got {votes.shape[0]}"
        )


def _origin(text: str) -> bytes:
    # File names need not be text: what cannot be encoded becomes a question mark.
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= _ORIGIN_BYTES:
        return encoded
    # The name of the file at the end says more than the folders before it.
    return _CUT + encoded[len(_CUT) - _ORIGIN_BYTES :]
