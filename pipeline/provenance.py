"""What made a file: the program's version and commit, and the libraries under it."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess

from pipeline import __version__
from pipeline.home import PROJECT_ROOT

_PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless")


def made_with() -> dict[str, str]:
    """Versions of this program, Python and the libraries, for `ModelContract.versions`."""
    commit = git_commit()
    return {
        "fer-lab": f"{__version__} ({commit})" if commit else __version__,
        "python": platform.python_version(),
        **versions(),
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
