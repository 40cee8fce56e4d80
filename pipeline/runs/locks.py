"""Locks in a run's folder, which the operating system frees when their holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from pipeline.errors import RunNotFoundError
from pipeline.runs.state import STATUS


@contextmanager
def locked(folder: Path, name: str, *, timeout: float) -> Iterator[None]:
    """Holds one of a run's locks while the block runs.

    Args:
        folder: The run's folder.
        name: The lock's file in it.
        timeout: How long to wait for another holder, seconds; 0: not at all.

    Raises:
        RunNotFoundError: If the run is not there (any more).
        filelock.Timeout: If somebody else holds it all that time.
    """
    if not (folder / STATUS).is_file():
        raise RunNotFoundError(_gone(folder))
    lock = FileLock(folder / name, timeout=timeout)
    with lock:
        if not (folder / STATUS).is_file():
            # Deleted while we waited; to lock has made an empty folder in its place, maybe,
            # which would keep its name from it for good.
            with suppress(OSError):
                (folder / name).unlink()
                folder.rmdir()
            raise RunNotFoundError(_gone(folder))
        yield


def _gone(folder: Path) -> str:
    return f"run {folder.name!r} is not there any more: it was deleted or moved"
