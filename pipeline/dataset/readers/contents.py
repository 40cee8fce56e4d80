"""One view of a file, a folder, a zip and a tar: named members, read as streams.

Nothing is ever unpacked to disk, and an archive that tries something is refused
as a whole before a byte of its members is used.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Self

from pipeline.dataset.readers.streams import check_unpacked, printable, reading, unpacked
from pipeline.errors import DatasetError

MAX_MEMBERS = 200_000
"""The most files in one folder or archive; FER-2013 as images has 35,887."""

_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second: with nothing in it
_TAR_MAGIC = slice(257, 262)
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Member:
    """A file in a folder or an archive.

    Attributes:
        name: Its path there, with `/`.
        size: Bytes, unpacked.
    """

    name: str
    size: int

    @cached_property
    def path(self) -> PurePosixPath:
        """The name, to take apart."""
        return PurePosixPath(self.name)


class Contents(ABC):
    """What a source holds.

    Attributes:
        path: The file or folder.
        label: Its name, for messages.
        members: Its files, hidden ones left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = printable(path.name)
        self.members: tuple[Member, ...] = ()

    @abstractmethod
    def streams(self, names: Collection[str]) -> Iterator[tuple[Member, IO[bytes]]]:
        """Opens members one after the other, in the order that is cheapest to read.

        A stream is valid until the next one is asked for.

        Raises:
            DatasetError: If one cannot be read.
        """

    @contextmanager
    def stream(self, name: str) -> Iterator[IO[bytes]]:
        """Opens one member.

        Raises:
            DatasetError: If it cannot be read, then or within the block.
        """
        for _, stream in self.streams({name}):
            with reading(self.where(name)):
                yield stream
            return
        raise DatasetError(f"{self.where(name)}: no longer there; try again")

    def where(self, name: str) -> str:
        """A member's name for messages."""
        return f"{self.label}, {printable(name)}"


class FileContents(Contents):
    """A single file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.members = (Member(path.name, path.stat().st_size),)

    def streams(self, names: Collection[str]) -> Iterator[tuple[Member, IO[bytes]]]:
        """See `Contents.streams`."""
        for member in self.members:
            if member.name in names:
                with reading(self.where(member.name)), self.path.open("rb") as stream:
                    yield member, stream

    def where(self, name: str) -> str:
        """A member's name for messages."""
        return self.label


class FolderContents(Contents):
    """A folder and those below it; linked folders are not entered."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        census = _Census(self.label)
        for folder, subfolders, files in os.walk(path, onerror=_fail):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for file in sorted(files):
                found = Path(folder, file)
                # Linked files are followed: the cache of huggingface_hub is made of them.
                if found.is_file():
                    census.add(found.relative_to(path).as_posix(), found.stat().st_size)
        self.members = census.visible()

    def streams(self, names: Collection[str]) -> Iterator[tuple[Member, IO[bytes]]]:
        """See `Contents.streams`."""
        for member in self.members:
            if member.name in names:
                with (
                    reading(self.where(member.name)),
                    (self.path / member.name).open("rb") as stream,
                ):
                    yield member, stream

    def where(self, name: str) -> str:
        """A member's name for messages."""
        return f"{self.label}/{printable(name)}"


class ZipContents(Contents):
    """A zip archive."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        census = _Census(self.label)
        with reading(self.label), zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = _safe_name(info.filename, self.label)
                if info.is_dir():
                    continue
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise DatasetError(f"{self.where(name)}: a link; archives may hold only files")
                if info.flag_bits & 1:
                    raise DatasetError(
                        f"{self.where(name)}: protected by a password; unpack the archive "
                        "yourself and import the folder"
                    )
                census.add(name, info.file_size, info.compress_size)
        self.members = census.visible()

    def streams(self, names: Collection[str]) -> Iterator[tuple[Member, IO[bytes]]]:
        """See `Contents.streams`."""
        with reading(self.label), zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                name = _safe_name(info.filename, self.label)
                if name in names and not info.is_dir():
                    with reading(self.where(name)), archive.open(info) as stream:
                        # zipfile stops at the declared size, so the census holds.
                        yield Member(name, info.file_size), stream


class TarContents(Contents):
    """A tar archive, plain or packed with gzip or xz."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        census = _Census(self.label)
        with reading(self.label), self._opened() as archive:
            for info in archive:
                name = _safe_name(info.name, self.label)
                if info.isdir():
                    continue
                if not info.isreg():
                    raise DatasetError(
                        f"{self.where(name)}: a link or a device; archives may hold only files"
                    )
                census.add(name, info.size)
        self.members = census.visible()

    def streams(self, names: Collection[str]) -> Iterator[tuple[Member, IO[bytes]]]:
        """See `Contents.streams`."""
        with reading(self.label), self._opened() as archive:
            for info in archive:
                name = _safe_name(info.name, self.label)
                if name not in names or not info.isreg():
                    continue
                with reading(self.where(name)):
                    stream = archive.extractfile(info)
                    if stream is not None:
                        yield Member(name, info.size), stream

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        with self.path.open("rb") as file:
            plain, _ = unpacked(file, self.label)
            with tarfile.open(fileobj=plain, mode="r:", tarinfo=_StrictTarInfo) as archive:
                yield archive


class _StrictTarInfo(tarfile.TarInfo):
    """Takes a broken or missing header for what it is; tarfile takes it for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Census:
    """Counts members as an archive is listed, and stops at the limits."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._members: dict[str, Member] = {}
        self._total = 0
        self._packed = 0

    def add(self, name: str, size: int, packed: int | None = None) -> None:
        """Takes a member; `packed` where the archive says it member by member."""
        if name in self._members:
            raise DatasetError(f"{self._archive}: holds {printable(name)} twice")
        self._members[name] = Member(name, size)
        if len(self._members) > MAX_MEMBERS:
            raise DatasetError(f"{self._archive}: holds more than {MAX_MEMBERS:,} files")
        if packed is not None:
            self._total += size
            self._packed += packed
            check_unpacked(self._total, self._packed, self._archive)

    def visible(self) -> tuple[Member, ...]:
        """The members, without hidden files and what macOS adds to archives."""
        return tuple(
            member
            for member in self._members.values()
            if not any(part.startswith((".", "__MACOSX")) for part in member.path.parts)
        )


def open_contents(path: Path) -> Contents:
    """Opens a source by what it is, not by what it is called.

    Raises:
        DatasetError: If it is missing, empty, neither file nor folder, damaged,
            or an archive that is not safe to read.
    """
    label = printable(path.name)
    if path.is_dir():
        with reading(label):
            return FolderContents(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder")
    if not path.is_file():
        raise DatasetError(f"{path}: neither a file nor a folder")
    with reading(label), path.open("rb") as file:
        head = file.read(4)
        if not head:
            raise DatasetError(f"{label}: the file is empty")
        if head in _ZIP_MAGICS:
            return ZipContents(path)
        file.seek(0)
        plain, _ = unpacked(file, label)
        if plain.read(512)[_TAR_MAGIC] == b"ustar":
            return TarContents(path)
    return FileContents(path)


def _fail(error: OSError) -> None:
    # os.walk passes over what it may not enter unless told otherwise.
    raise error


def _safe_name(name: str, archive: str) -> str:
    # Archives made on Windows may part folders with a backslash.
    safe = PurePosixPath(name.replace("\\", "/"))
    if safe.is_absolute() or ".." in safe.parts or _DRIVE.match(name):
        raise DatasetError(
            f"{archive}: the member {name!r} points outside the archive; refused as unsafe"
        )
    return safe.as_posix()
