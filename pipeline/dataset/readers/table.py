"""Reads FER-2013 as a table: one image a row, its pixels as numbers in a cell.

`fer2013.csv`         emotion,pixels,Usage
`icml_face_data.csv`  emotion, Usage, pixels
`train.csv`           emotion,pixels
`test.csv`            pixels

Rows are counted as a spreadsheet counts them: the header is row 1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE
from pipeline.dataset.readers.batches import (
    BATCH_SIZE,
    TEST,
    TRAIN,
    Batch,
    collect,
    cut_splits,
    empty_images,
    pieces,
    usage_code,
)
from pipeline.dataset.readers.contents import Contents, Member
from pipeline.dataset.readers.streams import MeteredStream, lines, unpacked
from pipeline.errors import DatasetError
from pipeline.labels import label_index
from pipeline.progress import Progress

MAX_LINE_BYTES = 64 * 2**10
"""The longest row; one of 48×48 pixels takes at most 10 KB."""

_NUM_PIXELS = IMAGE_SIZE * IMAGE_SIZE
_MEBIBYTE = 2**20
_NO_ROW: tuple[int, list[str]] = (0, [])


@dataclass(frozen=True)
class _Columns:
    """Where the columns are; what the table lacks is `None`."""

    count: int
    pixels: int
    emotion: int
    usage: int | None


class TableReader:
    """Reads one table, or the challenge's `train.csv` with a labelled `test.csv`.

    Attributes:
        kind: `csv`.
        notes: See `Reader`.
    """

    kind = "csv"

    def __init__(self, contents: Contents, train: Member, test: Member | None = None) -> None:
        self.notes: list[str] = []
        self._contents = contents
        self._train = train
        self._test = test

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """See `Reader.batches`."""
        where = self._contents.where(self._train.name)
        if _columns(self._header(self._train), where).usage is not None:
            if self._test is not None:
                self.notes.append(f"Left out {self._test.name}: {self._train.name} is complete.")
            yield from self._rows(self._train, TRAIN, progress)
            return
        yield from self._cut(progress)

    def _cut(self, progress: Progress) -> Iterator[Batch]:
        parts = [collect(self._rows(self._train, TRAIN, progress), self._train.name)]
        if self._test is not None and "emotion" in _names(self._header(self._test)):
            test = collect(self._rows(self._test, TEST, progress), self._test.name)
            # The rows of two tables would go by the same numbers.
            parts.append(replace(test, origins=[f"{self._test.name} {o}" for o in test.origins]))
        elif self._test is not None:
            self.notes.append(f"Left out {self._test.name}: it has no labels.")
        batch, notes = cut_splits(collect(parts, self._train.name), self._train.name)
        self.notes.extend(notes)
        yield from pieces(batch)

    def _rows(self, member: Member, split: int, progress: Progress) -> Iterator[Batch]:
        """Reads a table; `split` is that of all rows if there is no `Usage` column."""
        where = self._contents.where(member.name)
        with self._contents.stream(member.name) as stream:
            plain, packed = unpacked(stream, where)
            rows = _text_rows(plain, where)
            columns = _columns(next(rows, _NO_ROW)[1], where)
            count = 0
            for batch in _parse(rows, columns, split, where):
                count += len(batch.labels)
                read, size = packed.num_read / _MEBIBYTE, member.size / _MEBIBYTE
                words = f"{member.path.name}: {count:,} images, {read:,.0f} of {size:,.0f} MB read"
                progress(read, size, words)
                yield batch

    def _header(self, member: Member) -> list[str]:
        where = self._contents.where(member.name)
        with self._contents.stream(member.name) as stream:
            return next(_text_rows(unpacked(stream, where)[0], where), _NO_ROW)[1]


def _text_rows(stream: MeteredStream, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the row's number and cells; blank rows are passed over."""
    number = 0

    def decoded() -> Iterator[str]:
        nonlocal number
        for line in lines(stream, where, MAX_LINE_BYTES):
            number += 1
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DatasetError(f"{where}, row {number}: not text; is this a CSV?") from error

    try:
        for cells in csv.reader(decoded()):
            if cells:
                yield number, cells
    except csv.Error as error:
        raise DatasetError(f"{where}, row {number}: {error}") from error


def _names(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _columns(header: Sequence[str], where: str) -> _Columns:
    names = _names(header)
    if not names:
        raise DatasetError(f"{where}: the table is empty")
    shown = ", ".join(repr(name[:20]) for name in names[:5])
    if "pixels" not in names:
        raise DatasetError(
            f"{where}, row 1: expected a header with the columns 'emotion' and 'pixels', "
            f"got {shown}"
        )
    if "emotion" not in names:
        raise DatasetError(
            f"{where}, row 1: the column 'emotion' is missing, so the images have no labels (the "
            "challenge's test.csv is such a file); import fer2013.csv, icml_face_data.csv or "
            "train.csv instead"
        )
    usage = names.index("usage") if "usage" in names else None
    return _Columns(len(names), names.index("pixels"), names.index("emotion"), usage)


def _parse(
    rows: Iterator[tuple[int, list[str]]], columns: _Columns, split: int, where: str
) -> Iterator[Batch]:
    room = _Room(split)
    for number, cells in rows:
        try:
            room.add(number, cells, columns)
        except DatasetError as error:
            raise DatasetError(f"{where}, row {number}: {error}") from error
        if room.count == BATCH_SIZE:
            yield room.batch()
            room = _Room(split)
    if room.count:
        yield room.batch()


class _Room:
    """Room for one batch, filled row by row."""

    def __init__(self, split: int) -> None:
        self.count = 0
        self._images = empty_images(BATCH_SIZE)
        self._labels = np.empty(BATCH_SIZE, np.uint8)
        self._splits = np.full(BATCH_SIZE, split, np.uint8)
        self._origins: list[str] = []

    def add(self, number: int, cells: list[str], columns: _Columns) -> None:
        if len(cells) != columns.count:
            raise DatasetError(f"expected {columns.count} columns, got {len(cells)}")
        self._images[self.count] = parse_pixels(cells[columns.pixels])
        self._labels[self.count] = label_index(cells[columns.emotion])
        if columns.usage is not None:
            self._splits[self.count] = usage_code(cells[columns.usage])
        self._origins.append(f"row {number}")
        self.count += 1

    def batch(self) -> Batch:
        filled = slice(self.count)
        return Batch(
            self._images[filled], self._labels[filled], self._splits[filled], self._origins
        )


def parse_pixels(text: str) -> npt.NDArray[np.uint8]:
    """Reads an image from its numbers.

    Args:
        text: 2304 whole numbers in `[0, 255]`, row by row, parted by spaces.

    Returns:
        `uint8`, shape `(48, 48)`.

    Raises:
        DatasetError: If there are more or fewer, or one is no such number.
    """
    try:
        # 64 bits: with fewer, NumPy lets large numbers wrap around into the range.
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError:
        _explain(text)
    if len(values) != _NUM_PIXELS or values.min() < 0 or values.max() > 255:
        _explain(text)
    return values.astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)


def _explain(text: str) -> NoReturn:
    words = text.split()
    for position, word in enumerate(words, start=1):
        if not (word.isascii() and word.removeprefix("-").isdigit()):
            raise DatasetError(f"pixel {position} is {word[:20]!r}: expected a whole number")
        if not 0 <= int(word[:20]) <= 255:
            raise DatasetError(f"pixel {position} is {word[:20]}: expected 0 to 255")
    if len(words) == _NUM_PIXELS:
        raise DatasetError("expected pixels parted by ordinary spaces, got other white space")
    raise DatasetError(
        f"expected {_NUM_PIXELS} pixels ({IMAGE_SIZE}×{IMAGE_SIZE}), got {len(words)}"
    )
