"""Files that people name or hand over, for the pages that begin work with one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import work_folders
from app.jobs import Work
from pipeline.progress import Progress

_CHUNK = 1 << 20
_TAKEN = "num_uploads"


def path(text: str) -> Path:
    """A path as people paste it, with the quotes that a file manager puts around it."""
    return Path(text.strip().strip("\"'")).expanduser()


def uploader_key(name: str) -> str:
    """The key of an uploader: another one once an upload was taken over."""
    return f"{name}_{st.session_state.get(_TAKEN, 0)}"


def upload_taken() -> None:
    """Empties the tab's uploaders at the next run, which frees the server's copies of the files."""
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, 0) + 1


def stored(uploaded: UploadedFile, folder: Path) -> Path:
    """Writes an upload to disk, under its own name, without a second copy in memory.

    Args:
        uploaded: From a page's uploader.
        folder: Where to; made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    # Some browsers send the whole path that it had, of Windows too.
    copy = folder / Path(uploaded.name.replace("\\", "/")).name
    uploaded.seek(0)
    with copy.open("wb") as file:
        shutil.copyfileobj(uploaded, file, _CHUNK)
    return copy


@contextmanager
def upload_folder(root: Path) -> Iterator[Path]:
    """A new folder for uploads, gone again if the block raises.

    Who begins work with what is stored there wraps it in `removing`.

    Args:
        root: Where the datasets are: a system's own folder for such files may be small memory.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=work_folders.prefix(work_folders.UPLOAD), dir=root))
    try:
        yield folder
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def removing(folder: Path, work: Work) -> Work:
    """Work on what lies in a temporary folder, which is removed at its end, good or bad."""

    def cleaning(progress: Progress) -> str:
        try:
            return work(progress)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return cleaning
