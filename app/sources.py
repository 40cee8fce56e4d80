"""Files that people name or hand over, for the pages that begin work with one."""

from __future__ import annotations

import shutil
from pathlib import Path

from streamlit.runtime.uploaded_file_manager import UploadedFile

_CHUNK = 1 << 20


def path(text: str) -> Path:
    """A path as people paste it, with the quotes that a file manager puts around it."""
    return Path(text.strip().strip("\"'")).expanduser()


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
