"""Writing files so that a reader, or a crash, never meets a half-written one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import tokenize
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

_DAY = 24 * 3600.0
_NAMED = (
    PermissionError,
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
)
"""Errors about a path that somebody gave: its name and the system's word for it say enough."""

ARRAYS_DAMAGED = (
    OSError,
    EOFError,
    KeyError,
    RuntimeError,  # a part says that it is encrypted, or packed in a way that nobody knows
    SyntaxError,  # an array says in Python what it holds
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises of an `.npy` or `.npz` file that is not there, or damaged."""


def write_text(path: Path, text: str) -> None:
    """Replaces a file in one step: readers see the old text or the new, never a mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def replaced_file(path: Path) -> Iterator[IO[bytes]]:
    """Gives a new file to write, which takes the place of `path` at the end, or never."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Replaces a JSON file in one step, indented for people."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Replaces an `.npz` file of named arrays in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """The arrays of an `.npz` file by name; `None` if it is not there, or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except ARRAYS_DAMAGED:
        return None


def keep_newest(folder: Path, pattern: str, number: int) -> None:
    """Removes the files of a folder that were changed or touched the longest ago.

    A file that a killed process left half written goes after a day.

    Args:
        folder: Whose files.
        pattern: Which of them, such as `*.npz`.
        number: How many stay.
    """

    def age(path: Path) -> float:
        try:
            return -path.stat().st_mtime
        except FileNotFoundError:
            return 0.0  # another process removed it first

    for path in sorted(folder.glob(pattern), key=age)[number:]:
        path.unlink(missing_ok=True)
    for path in folder.glob(f".{pattern}.????????.tmp"):
        if time.time() + age(path) > _DAY:  # a younger one may be under way in another process
            path.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not JSON, or not even text.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def disk_trouble(error: BaseException) -> str | None:
    """What a user can mend of the operating system's errors, in words; `None` for all others."""
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space and try again"
    if error.errno == errno.EROFS:
        return (
            "the folder with your data is on a disk that can only be read: start FER Lab with "
            "FERLAB_HOME set to another folder"
        )
    if isinstance(error, _NAMED) and error.filename:
        return f"{error.filename}: {(error.strerror or 'cannot be read').lower()}"
    return None


def last_lines(path: Path, number: int) -> str:
    """The last lines of a log; empty if it is not there."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-number:])


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder to fill, which takes the place of `path` at the end.

    If the block raises, what was at `path` is left as it was and the new
    folder is removed. What a killed process left behind is cleared away, so the
    caller must see to it that only one at a time replaces a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _recover(path)
    token = uuid.uuid4().hex[:8]
    incoming = path.with_name(f".{path.name}.{token}.incoming")
    outgoing = path.with_name(f".{path.name}.{token}.outgoing")
    incoming.mkdir()
    try:
        yield incoming
        if path.exists():
            path.replace(outgoing)
        try:
            incoming.replace(path)
        except OSError:
            if outgoing.exists():
                outgoing.replace(path)
            raise
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
        shutil.rmtree(outgoing, ignore_errors=True)


def _recover(path: Path) -> None:
    """Undoes a replacement of `path` that a killed process did not finish."""
    for old in path.parent.glob(f".{path.name}.????????.outgoing"):
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.replace(path)
    for new in path.parent.glob(f".{path.name}.????????.incoming"):
        shutil.rmtree(new, ignore_errors=True)
