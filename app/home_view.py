"""Where the files lie, and what room they take."""

from __future__ import annotations

import shutil
from pathlib import Path

import streamlit as st

from app import plain_html, resources, views
from pipeline.home import SHIPPED_MODELS, Home


def section() -> None:
    """The folders of this home, folded away."""
    views.fold("Where your files are", "folder", folders, key="files")


def folders() -> None:
    """The folders of this home, their sizes, and the free space."""
    home = resources.home()
    st.html(
        plain_html.table(
            [
                {"Of what": title, "Size": _size(path), "Folder": str(path)}
                for title, path in (
                    ("Datasets", home.data),
                    ("Training runs", home.runs),
                    ("Sweeps", home.sweeps),
                    ("Ensembles", home.ensembles),
                    ("Can be computed again", home.cache),
                    ("Shipped models", SHIPPED_MODELS),
                )
            ],
            label="Where your files are",
        )
    )
    st.caption(
        f"{_free(home)} free on this disk. Set `FERLAB_HOME` before starting to keep datasets "
        "and runs elsewhere."
    )


def _size(path: Path) -> str:
    return views.file_size(resources.folder_bytes(path))


def _free(home: Home) -> str:
    # The home may not be there before the first import; its parents are.
    existing = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    return views.file_size(shutil.disk_usage(existing).free)
