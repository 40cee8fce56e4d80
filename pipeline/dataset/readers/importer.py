"""Importing a dataset: which reader fits, and from its images to the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset import SPLITS, Dataset, DatasetStore, DatasetWriter, ferplus
from pipeline.dataset.readers.batches import Reader
from pipeline.dataset.readers.contents import Contents, FileContents, Member, open_contents
from pipeline.dataset.readers.images import SUFFIXES as IMAGE_SUFFIXES
from pipeline.dataset.readers.images import ImageFolderReader
from pipeline.dataset.readers.parquet import ParquetReader
from pipeline.dataset.readers.streams import reading
from pipeline.dataset.readers.table import TableReader
from pipeline.errors import DatasetError
from pipeline.progress import Progress, no_progress

FER2013_SIZE = 35_887
FER2013_TITLE = "FER-2013"

# In the order of torchvision's FER2013: the complete tables first.
_COMPLETE_FIRST = ("fer2013.csv", "icml_face_data.csv", "train.csv")
_TEST_TABLE = "test.csv"
# They lie beside the data and are none themselves.
_OTHER_TABLES = frozenset({"fer2013new.csv", "ferplus_fer2013new.csv", "example_submission.csv"})
_PACKED_SUFFIXES = (".gz", ".xz")
_ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".tgz", ".txz", ".gz", ".xz"})


def import_dataset(
    source: Path,
    store: DatasetStore,
    name: str = "fer2013",
    *,
    title: str | None = None,
    votes: Path | None = None,
    progress: Progress = no_progress,
) -> Dataset:
    """Imports a dataset from any form that this package reads.

    A dataset of that name is replaced in one step at the end; if anything goes
    wrong before, or `progress` raises, it stays as it was.

    Args:
        source: A file or folder.
        store: Where to keep the dataset.
        name: The name to keep it under.
        title: What the interface calls it; by default `FER-2013` if it has as
            many images as that, else the source's name.
        votes: The FER+ votes, `fer2013new.csv`, to attach.
        progress: Told now and then how far the import is.

    Raises:
        DatasetError: If the source is not what it should be; the message names
            file, row or member, and reason.
    """
    # Not `resolve`: a linked file's own name may tell its split.
    source = source.expanduser().absolute()
    table = None if votes is None else ferplus.read_table(votes)
    contents = open_contents(source)
    reader = choose_reader(contents)
    try:
        with store.writer(name) as writer:
            splits = _copy(reader, writer, progress)
            if table is not None:
                table.check(splits)
            is_whole = writer.num_samples == FER2013_SIZE
            writer.finish(
                title=title or (FER2013_TITLE if is_whole else source.name),
                source=str(source),
                kind=reader.kind,
                notes=_notes(reader, splits),
                votes=None if table is None else (table.votes, str(table.path)),
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(f"cannot write the dataset {name!r}: {reason}") from error
    return store.open(name)


def choose_reader(contents: Contents) -> Reader:
    """Finds the reader for what a source holds.

    Complete tables come before images, images before parquet files, and these
    before a single table of unknown name.

    Raises:
        DatasetError: If nothing fits.
    """
    if isinstance(contents, FileContents):
        # Named however the user likes: a table's header tells what is wrong with it.
        (member,) = contents.members
        single = ParquetReader if _is_parquet(contents.path) else TableReader
        return single(contents, member)
    tables = _tables(contents.members)
    for table_name in _COMPLETE_FIRST:
        if table_name in tables:
            return TableReader(contents, tables[table_name], tables.get(_TEST_TABLE))
    images = [member for member in contents.members if _suffix(member) in IMAGE_SUFFIXES]
    if images:
        return ImageFolderReader(contents, images)
    parquet = [member for member in contents.members if _suffix(member) == ".parquet"]
    if parquet:
        return ParquetReader(contents, *parquet)
    if len(tables) == 1:
        return TableReader(contents, *tables.values())
    raise DatasetError(_nothing_fits(contents, tables))


def _tables(members: Iterable[Member]) -> dict[str, Member]:
    """The tables by name, without the suffix of their packing; nearest and plain come first."""
    found: dict[str, Member] = {}
    for member in sorted(members, key=lambda one: (len(one.path.parts), len(one.name))):
        name = member.path.name.lower()
        for suffix in _PACKED_SUFFIXES:
            name = name.removesuffix(suffix)
        if name.endswith(".csv") and name not in _OTHER_TABLES:
            found.setdefault(name, member)
    return found


def _nothing_fits(contents: Contents, tables: Iterable[str]) -> str:
    source = contents.label
    if tables:
        return (
            f"{source}: cannot tell which table is the dataset ({', '.join(sorted(tables))}); "
            "import that file"
        )
    archives = [member for member in contents.members if _suffix(member) in _ARCHIVE_SUFFIXES]
    if archives:
        return f"{source}: holds another archive; import {contents.where(archives[0].name)} instead"
    return (
        f"{source}: expected a table such as fer2013.csv, images in folders named after the "
        f"classes, or parquet files; found none among {len(contents.members)} files"
    )


def _suffix(member: Member) -> str:
    return member.path.suffix.lower()


def _is_parquet(path: Path) -> bool:
    with reading(path.name), path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _copy(reader: Reader, writer: DatasetWriter, progress: Progress) -> npt.NDArray[np.uint8]:
    """Copies the images and returns the code of each one's split."""
    splits = [np.empty(0, np.uint8)]
    for batch in reader.batches(progress):
        writer.append(batch.images, batch.labels, batch.splits, batch.origins)
        splits.append(batch.splits)
    return np.concatenate(splits)


def _notes(reader: Reader, splits: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    missing = [f"No {split} images." for code, split in enumerate(SPLITS) if code not in splits]
    return (*reader.notes, *missing)
