"""Folders that a server works in, hidden among the data, where there is room for large files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

UPLOAD = "upload"
"""The kind that uploaded datasets are imported from."""


def prefix(kind: str) -> str:
    """How the names of this server's folders of a kind begin."""
    return f".{kind}-{os.getpid()}-"


def remove_left_over(root: Path, kind: str) -> None:
    """Deletes what servers that were killed could not.

    To be called before this server makes its first folder of that kind: one
    with the number of its process is then of an earlier life.

    Args:
        root: Where the folders lie, there or not.
        kind: As for `prefix`.
    """
    for path in root.glob(f".{kind}-*-*"):
        owner = path.name.removeprefix(f".{kind}-").split("-")[0]
        is_mine = owner == str(os.getpid())
        if owner.isdigit() and (is_mine or not psutil.pid_exists(int(owner))):
            shutil.rmtree(path, ignore_errors=True)
