"""Byte streams that count what passes and refuse to swell.

A few kilobytes of gzip or xz can unpack to terabytes. What is unpacked here is
read as a stream, never written to disk, and stops at these limits.
"""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from pipeline.errors import DatasetError

MAX_UNPACKED_BYTES = 4 * 2**30
"""The most that one source may unpack to; FER-2013's CSV has 0.3 GB."""

MAX_RATIO = 100
"""The most that one packed byte may unpack to; FER-2013's CSV stays below 5."""

RATIO_FREE_BYTES = 32 * 2**20
"""What may be unpacked before the ratio counts: small files of blank images pack very well."""

MAX_READ_BYTES = 64 * 2**20
"""The most that is read in one piece; a forged tar header can ask for gigabytes."""

_BUFFER_BYTES = 2**20
_MAX_REASON = 160
_GZIP_MAGIC = b"\x1f\x8b"
_XZ_MAGIC = b"\xfd7zXZ\x00"


class Readable(Protocol):
    """All that is needed of a stream."""

    def read(self, size: int, /) -> bytes:
        """Reads up to `size` bytes."""
        ...


class MeteredStream(io.BufferedIOBase):
    """A stream that counts what is read from it and goes forward only.

    Args:
        inner: Where the bytes come from.
        where: The file's name, for messages.
        packed: If `inner` unpacks another metered stream, that one: the limits
            of this module then hold.
    """

    def __init__(self, inner: Readable, where: str, packed: MeteredStream | None = None) -> None:
        self._inner = inner
        self._where = where
        self._packed = packed
        self.num_read = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to `size` bytes.

        Raises:
            DatasetError: If a limit is passed.
        """
        if size is None or not 0 <= size <= MAX_READ_BYTES:
            raise DatasetError(
                f"{self._where}: asks for more than {MAX_READ_BYTES >> 20} MiB in one piece; "
                "refused as a decompression bomb"
            )
        data = self._inner.read(size)
        self.num_read += len(data)
        if self._packed is not None:
            check_unpacked(self.num_read, self._packed.num_read, self._where)
        return data

    def seekable(self) -> bool:
        """True, though only forward."""
        return True

    def tell(self) -> int:
        """How many bytes have been passed."""
        return self.num_read

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Skips forward by reading, so that what is skipped counts too."""
        target = offset + (self.num_read if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self.num_read:
            raise io.UnsupportedOperation("this stream goes forward only")
        while self.num_read < target:
            if not self.read(min(_BUFFER_BYTES, target - self.num_read)):
                break
        return self.num_read


def check_unpacked(unpacked: int, packed: int, where: str) -> None:
    """Refuses what unpacks to more than honest data does.

    Raises:
        DatasetError: If the size or the ratio is over its limit.
    """
    if unpacked > MAX_UNPACKED_BYTES:
        raise DatasetError(
            f"{where}: unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB; "
            "refused as a decompression bomb"
        )
    if unpacked > RATIO_FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise DatasetError(
            f"{where}: unpacks to more than {MAX_RATIO} times its size; "
            "refused as a decompression bomb"
        )


def unpacked(stream: IO[bytes], where: str) -> tuple[MeteredStream, MeteredStream]:
    """Opens a stream that may be packed with gzip or xz, told by its first bytes.

    Args:
        stream: At its beginning.
        where: The file's name, for messages.

    Returns:
        The plain content, and the packed stream, which tells how far the file
        has been read; the same twice if it is not packed.
    """
    buffered = io.BufferedReader(stream, _BUFFER_BYTES)  # type: ignore[type-var]
    packed = MeteredStream(buffered, where)
    head = buffered.peek(len(_XZ_MAGIC))
    if head.startswith(_GZIP_MAGIC):
        return MeteredStream(gzip.GzipFile(fileobj=packed), where, packed), packed
    if head.startswith(_XZ_MAGIC):
        return MeteredStream(lzma.LZMAFile(packed), where, packed), packed  # type: ignore[arg-type]
    return packed, packed


def lines(stream: MeteredStream, where: str, max_bytes: int) -> Iterator[bytes]:
    """Yields the lines of a stream.

    Raises:
        DatasetError: If one is longer than `max_bytes`.
    """
    buffered = io.BufferedReader(stream, _BUFFER_BYTES)
    number = 0
    while line := buffered.readline(max_bytes):
        number += 1
        if len(line) == max_bytes:
            raise DatasetError(
                f"{where}, row {number}: longer than {max_bytes >> 10} KiB; this is no table of "
                "48×48 images"
            )
        yield line


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turns what goes wrong while unpacking into one clear line.

    Raises:
        DatasetError: If the block cannot read `where`.
    """
    try:
        yield
    except EOFError as error:
        raise DatasetError(f"{where}: cut short; get the file again") from error
    except PermissionError as error:
        raise DatasetError(f"{where}: no permission to read it") from error
    except (
        OSError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        tarfile.TarError,
        UnicodeDecodeError,  # in a name inside an archive or a parquet file
        NotImplementedError,  # zipfile: a way of packing it does not know
    ) as error:
        raise damaged(where, error) from error


def damaged(where: str, error: Exception) -> DatasetError:
    """The error for a file that cannot be read, on one short line whatever the library says."""
    # Some libraries quote kilobytes of what they could not read.
    reason = printable(" ".join(str(error).split()))[:_MAX_REASON]
    return DatasetError(f"{where}: damaged or cut short ({reason}); get it again")


def printable(name: str) -> str:
    """A file's name as it can be shown: on one line, and without what is not text."""
    return "".join(character if character.isprintable() else "?" for character in name)
