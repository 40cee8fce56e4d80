"""Reads FER-2013 as Hugging Face keeps it: parquet files of encoded images and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from pipeline.dataset.readers.batches import (
    UNSPLIT,
    Batch,
    collect,
    cut_splits,
    empty_images,
    pieces,
    split_code,
    usage_code,
)
from pipeline.dataset.readers.contents import Contents, FileContents, FolderContents, Member
from pipeline.dataset.readers.images import MAX_IMAGE_BYTES, conversion_note, decode
from pipeline.dataset.readers.streams import check_unpacked, damaged
from pipeline.errors import DatasetError
from pipeline.labels import NAMES, label_index
from pipeline.progress import Progress

if TYPE_CHECKING:
    import pyarrow

_IMAGE_COLUMNS = ("image", "img", "img_bytes", "image_bytes")
_LABEL_COLUMNS = ("label", "labels", "emotion")
_SPLIT_COLUMNS = ("usage", "split")
_ROWS_AT_ONCE = 512


class ParquetReader:
    """Reads one parquet file, or several whose names tell the split.

    Attributes:
        kind: `parquet`.
        notes: See `Reader`.
    """

    kind = "parquet"

    def __init__(self, contents: Contents, *members: Member) -> None:
        if not isinstance(contents, FileContents | FolderContents):
            raise DatasetError(
                f"{contents.label}: parquet files cannot be read inside an archive; unpack it "
                "and import the folder"
            )
        self.notes: list[str] = []
        self._contents = contents
        self._members = sorted(members, key=lambda member: member.name)
        self._converted = 0

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """See `Reader.batches`."""
        source = self._contents.label
        batch = collect(self._all_rows(progress), source)
        if self._converted:
            self.notes.append(conversion_note(self._converted, len(batch.labels)))
        batch, notes = cut_splits(batch, source)
        self.notes.extend(notes)
        yield from pieces(batch)

    def _all_rows(self, progress: Progress) -> Iterator[Batch]:
        # Heavy to import, and no other form needs it.
        import pyarrow

        for member in self._members:
            where = self._contents.where(member.name)
            try:
                with self._contents.stream(member.name) as stream:
                    yield from self._rows(member, stream, where, progress)
            except pyarrow.ArrowException as error:
                raise damaged(where, error) from error

    def _rows(
        self, member: Member, stream: IO[bytes], where: str, progress: Progress
    ) -> Iterator[Batch]:
        import pyarrow.parquet

        file = pyarrow.parquet.ParquetFile(stream)
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        check_unpacked(unpacked, member.size, where)
        columns = _columns(file.schema_arrow, where)
        if columns.note is not None and columns.note not in self.notes:
            self.notes.append(columns.note)
        done = 0
        for rows in file.iter_batches(_ROWS_AT_ONCE, columns=columns.wanted()):
            yield self._batch(member, rows.to_pylist(), columns, done + 1)
            done += rows.num_rows
            progress(done, file.metadata.num_rows, f"reading {member.path.name}")

    def _batch(
        self, member: Member, rows: list[dict[str, Any]], columns: _Columns, first_row: int
    ) -> Batch:
        where = self._contents.where(member.name)
        images = empty_images(len(rows))
        labels = np.empty(len(rows), np.uint8)
        splits = np.full(len(rows), _file_split(member), np.uint8)
        for index, row in enumerate(rows):
            place = f"{where}, row {first_row + index}"
            images[index], converted = decode(_image_bytes(row[columns.image], place), place)
            self._converted += converted
            try:
                labels[index] = _label(row[columns.label], columns.class_names)
                if columns.split is not None:
                    splits[index] = usage_code(str(row[columns.split]))
            except DatasetError as error:
                raise DatasetError(f"{place}: {error}") from error
        name = member.path.name
        origins = [f"{name} row {first_row + index}" for index in range(len(rows))]
        return Batch(images, labels, splits, origins)


@dataclass(frozen=True)
class _Columns:
    """Which columns hold what.

    Attributes:
        image: Encoded images: bytes, or a struct with a field `bytes`.
        label: Names, or numbers.
        split: The split's name, if there is such a column.
        class_names: What the numbers mean, if the file says it.
        note: What had to be assumed.
    """

    image: str
    label: str
    split: str | None
    class_names: tuple[str, ...] | None
    note: str | None

    def wanted(self) -> list[str]:
        return [self.image, self.label, *([self.split] if self.split else [])]


def _columns(schema: pyarrow.Schema, where: str) -> _Columns:
    import pyarrow

    def find(candidates: tuple[str, ...]) -> str | None:
        return next((name for name in candidates if name in schema.names), None)

    image, label = find(_IMAGE_COLUMNS), find(_LABEL_COLUMNS)
    if image is None or label is None:
        raise DatasetError(
            f"{where}: expected a column 'image' with encoded images and a column 'label', got "
            f"{', '.join(schema.names[:8]) or 'none'}"
        )
    class_names = _class_names(schema, label)
    note = None
    if class_names is None and pyarrow.types.is_integer(schema.field(label).type):
        note = f"The file does not name its classes: labels 0 to 6 mean {', '.join(NAMES)}."
    return _Columns(image, label, find(_SPLIT_COLUMNS), class_names, note)


def _class_names(schema: pyarrow.Schema, label: str) -> tuple[str, ...] | None:
    """The names that the `datasets` library stores beside the columns."""
    try:
        stored = json.loads((schema.metadata or {})[b"huggingface"])
        return tuple(str(name) for name in stored["info"]["features"][label]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _label(value: Any, class_names: tuple[str, ...] | None) -> int:
    if class_names is not None and isinstance(value, int):
        if not 0 <= value < len(class_names):
            raise DatasetError(f"unknown label {value}: the file names {len(class_names)} classes")
        return label_index(class_names[value])
    return label_index(str(value))


def _image_bytes(value: Any, place: str) -> bytes:
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        raise DatasetError(f"{place}: expected an encoded image, got {type(data).__name__}")
    if len(data) > MAX_IMAGE_BYTES:
        raise DatasetError(f"{place}: larger than {MAX_IMAGE_BYTES >> 20} MiB")
    return data


def _file_split(member: Member) -> int:
    """The split in a name such as `data/train-00000-of-00001.parquet`."""
    words = re.split(r"[^a-z]+", member.name.lower())
    codes = {code for word in words if (code := split_code(word)) is not None}
    return codes.pop() if len(codes) == 1 else UNSPLIT
