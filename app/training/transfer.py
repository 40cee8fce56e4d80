"""Runs as a zip file, out of the dashboard and into it."""

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
from pipeline.errors import listed
from pipeline.progress import Progress
from pipeline.runs import Run, RunStore
from pipeline.runs.transfer import export_runs, import_runs

_KIND = "run import"
_UPLOADS = "runs_uploads"


@st.dialog("Export", icon=":material/folder_zip:")
def export(runs: list[Run]) -> None:
    """Offers runs as one zip file, with what it takes to train on or without."""
    checkpoints = sum(resources.folder_bytes(run.folder / "checkpoints") for run in runs)
    rest = sum(resources.folder_bytes(run.folder) for run in runs) - checkpoints
    is_one = len(runs) == 1
    what = views.plain(runs[0].title) if is_one else f"{len(runs)} runs"
    st.markdown(
        f"**{what}**: settings, history, scores and notes, with the model where there is one. The "
        "images stay here. The checkpoints are what it takes to train further."
    )
    choices = (
        ("Without checkpoints", False, rest, False),
        ("With checkpoints", True, rest + checkpoints, not checkpoints),
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        for label, with_checkpoints, size, disabled in choices:
            st.download_button(
                f"{label} ({views.file_size(size)})",
                partial(_packed, runs, checkpoints=with_checkpoints),
                file_name=f"{runs[0].id if is_one else 'runs'}.zip",
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
            "Exported runs",
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
    """The work of importing runs."""

    def work(progress: Progress) -> str:
        progress(0, None, "unpacking")
        found = [f"“{run.id}”" for run in import_runs(store, content)]
        return f"{listed(found)} {'is' if len(found) == 1 else 'are'} among the runs now."

    return work


def _begin(file: UploadedFile) -> None:
    content = BytesIO(file.getbuffer())
    resources.jobs().start(_KIND, f"Importing {file.name}", import_work(resources.runs(), content))


def _packed(runs: list[Run], *, checkpoints: bool) -> BinaryIO:
    with tempfile.TemporaryFile() as file:
        export_runs(runs, file, checkpoints=checkpoints)
        # Streamlit takes files for reading only.
        return os.fdopen(os.dup(file.fileno()), "rb")
