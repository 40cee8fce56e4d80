"""One run as a zip file, out of the dashboard and into it."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from io import BytesIO
from typing import IO, BinaryIO

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import resources, views
from app.jobs import Work
from pipeline.progress import Progress
from pipeline.runs import Run, RunStore
from pipeline.runs.transfer import export_run, import_run

_KIND = "run import"
_UPLOADS = "runs_uploads"


@st.dialog("Export this run", icon=":material/folder_zip:")
def export(run: Run) -> None:
    """Offers a run as a zip file, with what it takes to train on or without."""
    checkpoints = resources.folder_bytes(run.folder / "checkpoints")
    rest = resources.folder_bytes(run.folder) - checkpoints
    st.markdown(
        f"**{views.plain(run.title)}**: settings, history, scores, notes, and its model if it has "
        "one. The images stay here. The checkpoints are what it takes to train it further."
    )
    choices = (
        ("Without checkpoints", False, rest, False),
        ("With checkpoints", True, rest + checkpoints, not checkpoints),
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        for label, with_checkpoints, size, disabled in choices:
            st.download_button(
                f"{label} ({views.file_size(size)})",
                partial(_packed, run, checkpoints=with_checkpoints),
                file_name=f"{run.id}.zip",
                mime="application/zip",
                key=f"runs_export_{'whole' if with_checkpoints else 'lean'}",
                icon=":material/download:",
                disabled=disabled,
                on_click="ignore",
            )


def popover() -> None:
    """A button that opens the place for a zip file to import."""
    number = int(st.session_state.get(_UPLOADS, 0))
    with st.popover("Import", icon=":material/upload:"):
        file = st.file_uploader(
            "An exported run",
            "zip",
            key=f"runs_upload_{number}",
            help="A zip file that this page, or `python -m pipeline runs export`, has written.",
        )
        if file is not None and st.button(
            "Import it", key="runs_import", type="primary", icon=":material/upload:"
        ):
            with views.guarded():
                _begin(file)
                # Empties the uploader, which frees the server's copy of the file.
                st.session_state[_UPLOADS] = number + 1
                st.rerun()


def import_work(store: RunStore, content: IO[bytes]) -> Work:
    """The work of importing a run."""

    def work(progress: Progress) -> str:
        progress(0, None, "unpacking")
        return f"“{import_run(store, content).id}” is among the runs now."

    return work


def _begin(file: UploadedFile) -> None:
    content = BytesIO(file.getbuffer())
    resources.jobs().start(_KIND, f"Importing {file.name}", import_work(resources.runs(), content))


def _packed(run: Run, *, checkpoints: bool) -> BinaryIO:
    with tempfile.TemporaryFile() as file:
        export_run(run, file, checkpoints=checkpoints)
        # Streamlit takes files for reading only.
        return os.fdopen(os.dup(file.fileno()), "rb")
