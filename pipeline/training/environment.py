"""What a training ran on: versions, data, code; and how much memory it took."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from typing import Any

import keras

from pipeline.dataset import Dataset
from pipeline.home import PROJECT_ROOT

_PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless")


def describe(dataset: Dataset) -> dict[str, Any]:
    """Everything that may explain why two trainings differ, JSON-ready."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "backend": keras.backend.backend(),
        "versions": versions(),
        "dataset": {
            "name": dataset.name,
            "title": dataset.meta.title,
            "fingerprint": dataset.meta.fingerprint,
            "synthetic": dataset.meta.synthetic,
        },
        "git_commit": git_commit(),
        "command": sys.argv,
    }


def versions() -> dict[str, str]:
    """The installed versions of the libraries that shape a result."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of this code, `-dirty` appended if files differ; `None` outside git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def peak_memory_mb() -> float:
    """The largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
