"""FER+: ten people's votes for each image of FER-2013.

E. Barsoum, C. Zhang, C. Canton Ferrer and Z. Zhang: Training Deep Networks for
Facial Expression Recognition with Crowd-Sourced Label Distribution, ICMI 2016,
arXiv:1608.01041. The file `fer2013new.csv` has a row for each row of
`fer2013.csv`, in the same order, so votes fit a dataset only in that order.

173 rows name no image: FER+ leaves these images out, and all ten votes are NF
("not a face"). Another 3 images have ten votes for NF and are named all the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset import SPLITS, Dataset, DatasetStore
from pipeline.errors import DatasetError
from pipeline.labels import label_index

COLUMNS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)

MAX_VOTES = 10
"""The number of taggers."""

_NUM_SHARED = 7
# Where each emotion of `labels.EMOTIONS` stands among the columns.
_SHARED_COLUMNS = np.argsort([label_index(column) for column in COLUMNS[:_NUM_SHARED]])
_NOT_A_FACE = COLUMNS.index("NF")
_SPLIT_CODES = {split.usage: code for code, split in enumerate(SPLITS)}
_HEADER = ("Usage", "Image name", *COLUMNS)


@dataclass(frozen=True)
class VoteTable:
    """A file of votes, before it is known which dataset they belong to.

    Attributes:
        path: The file.
        votes: `uint8`, shape `(n, 10)`, columns as in `COLUMNS`.
        split_codes: `uint8`, shape `(n,)`, index into `SPLITS`.
    """

    path: Path
    votes: npt.NDArray[np.uint8]
    split_codes: npt.NDArray[np.uint8]

    def check(self, split_codes: npt.NDArray[np.uint8]) -> None:
        """Compares the file with a dataset's splits, image by image.

        Raises:
            DatasetError: If the number or the order cannot be the same.
        """
        name = self.path.name
        if len(self.votes) != len(split_codes):
            raise DatasetError(
                f"{name}: expected votes for {len(split_codes):,} images, got "
                f"{len(self.votes):,} rows; FER+ fits the complete fer2013.csv only"
            )
        differs = np.flatnonzero(self.split_codes != split_codes)
        if differs.size:
            first = int(differs[0])
            ours, theirs = SPLITS[int(split_codes[first])], SPLITS[int(self.split_codes[first])]
            raise DatasetError(
                f"{name}, row {first + 2}: Usage is {theirs.usage}, but image {first} of the "
                f"dataset is {ours.usage}; FER+ fits a dataset in the order of fer2013.csv only"
            )


def read_table(path: Path) -> VoteTable:
    """Reads a file of votes.

    Raises:
        DatasetError: If it is not FER+'s `fer2013new.csv`; the message names
            file, row and reason. The header is row 1.
    """
    votes: list[list[int]] = []
    codes: list[int] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row, cells in _rows(csv.reader(file), path.name):
                codes.append(_split_code(cells[0], path.name, row))
                votes.append([_count(cell, path.name, row) for cell in cells[2:]])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read as FER+ votes ({error})") from error
    if not votes:
        raise DatasetError(f"{path.name}: no votes; expected a row for each image")
    return VoteTable(path, np.array(votes, np.uint8), np.array(codes, np.uint8))


def read_votes(path: Path, dataset: Dataset) -> npt.NDArray[np.uint8]:
    """Reads the votes for a dataset.

    Only the number of rows and the `Usage` column can be compared: a dataset
    whose images are in another order within a split goes unnoticed.

    Returns:
        `uint8` votes in `[0, 10]`, shape `(n, 10)`, columns as in `COLUMNS`,
        rows in the dataset's order.

    Raises:
        DatasetError: If the file is wrong, or belongs to another dataset.
    """
    table = read_table(path)
    table.check(dataset.split_codes)
    return table.votes


def attach(store: DatasetStore, name: str, path: Path) -> Dataset:
    """Adds the votes of a file to a dataset in the store.

    Raises:
        DatasetNotFoundError: If there is no dataset of that name.
        DatasetError: If the votes do not fit it.
    """
    votes = read_votes(path, store.open(name))
    return store.attach_votes(name, votes, str(path.absolute()))


def distribution(
    votes: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """The votes as soft labels over our seven emotions.

    Votes for contempt, unknown and NF are dropped.

    Args:
        votes: `uint8`, shape `(n, 10)`, columns as in `COLUMNS`.

    Returns:
        `float32` shares in `[0, 1]`, shape `(n, 7)`, columns in
        `labels.EMOTIONS` order; and a mask, shape `(n,)`, of the rows with at
        least one vote for the seven. These rows sum to 1, the others are zero.
    """
    counts = votes[:, _SHARED_COLUMNS].astype(np.float32)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return shares, totals[:, 0] > 0


def majority(
    votes: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """The emotion that more than half of the taggers chose, where there is one.

    Args:
        votes: `uint8`, shape `(n, 10)`, columns as in `COLUMNS`.

    Returns:
        The emotion of the seven with the most votes, `uint8`, shape `(n,)`, index
        into `labels.EMOTIONS`; and a mask, shape `(n,)`, of the rows where it
        has more than half of all votes. Only there does it mean anything.
    """
    counts = votes[:, _SHARED_COLUMNS]
    return (
        counts.argmax(axis=1).astype(np.uint8),
        _more_than_half(counts.max(axis=1), votes),
    )


def not_a_face(votes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which images more than half of the taggers call "not a face".

    In the published file these are 176: the 173 that FER+ leaves out, and 3 more.

    Args:
        votes: `uint8`, shape `(n, 10)`, columns as in `COLUMNS`.

    Returns:
        A mask, shape `(n,)`.
    """
    return _more_than_half(votes[:, _NOT_A_FACE], votes)


def _more_than_half(
    count: npt.NDArray[np.uint8], votes: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    return 2 * count.astype(np.intp) > votes.sum(axis=1, dtype=np.intp)


def _rows(lines: Iterator[list[str]], name: str) -> Iterator[tuple[int, list[str]]]:
    header = tuple(cell.strip() for cell in next(lines, []))
    if header != _HEADER:
        raise DatasetError(
            f"{name}, row 1: expected the columns of FER+, {','.join(_HEADER)}; got "
            f"{','.join(header)[:120] or 'an empty file'}"
        )
    for row, cells in enumerate(lines, start=2):
        if len(cells) != len(_HEADER):
            raise DatasetError(
                f"{name}, row {row}: expected {len(_HEADER)} columns, got {len(cells)}"
            )
        yield row, cells


def _split_code(text: str, name: str, row: int) -> int:
    code = _SPLIT_CODES.get(text.strip())
    if code is None:
        raise DatasetError(
            f"{name}, row {row}: unknown Usage {text!r}: expected one of {', '.join(_SPLIT_CODES)}"
        )
    return code


def _count(text: str, name: str, row: int) -> int:
    # A number of thousands of digits is not even converted.
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) > MAX_VOTES:
        raise DatasetError(
            f"{name}, row {row}: expected votes from 0 to {MAX_VOTES}, got {text[:20]!r}"
        )
    return int(text)
