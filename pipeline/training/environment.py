"""What a training ran on: versions, data, code; and how much memory it took."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import keras
import psutil

from pipeline.dataset import Dataset
from pipeline.provenance import git_commit, versions


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
            "overlay_version": dataset.overlay_version,
            "synthetic": dataset.meta.synthetic,
        },
        "git_commit": git_commit(),
        "command": sys.argv,
    }


def peak_memory_mb() -> float:
    """The largest resident memory of this process so far, in MiB."""
    if sys.platform == "win32":
        # Windows has no module `resource`; on other systems psutil does not know the peak.
        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
