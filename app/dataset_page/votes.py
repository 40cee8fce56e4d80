"""FER+ votes for a dataset that came without them: from a path, or uploaded."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import get_data, resources, sources, views
from app.jobs import Work
from pipeline.dataset import DatasetMeta, DatasetStore, ferplus
from pipeline.errors import DatasetError
from pipeline.home import Home
from pipeline.progress import Progress

_HELP = (
    "fer2013new.csv from Microsoft's FERPlus repository. Its rows follow those of fer2013.csv, so "
    "the dataset must have been imported from that whole file, or one in the same order."
)


def offer(name: str, meta: DatasetMeta) -> None:
    """Says what the votes are, and takes them where there can be any.

    Args:
        name: Of a dataset without votes.
        meta: What is known of it.
    """
    what = "FER+ holds ten people's votes for each image of FER-2013."
    if meta.synthetic:
        views.empty_state("No FER+ votes", f"{what} Nobody voted on drawn faces.")
    elif get_data.is_coming():
        views.under_way("A dataset or votes are being imported")
    else:
        views.empty_state("No FER+ votes", f"{what} Add its file fer2013new.csv here.")
        here, upload = st.tabs([":material/folder_open: This computer", ":material/upload: Upload"])
        with here:
            _from_path(name)
        with upload:
            _from_upload(name)


def votes_work(home: Home, name: str, file: Path) -> Work:
    """The work of adding votes to a dataset.

    Args:
        home: Where the dataset is kept.
        name: Of the dataset.
        file: FER+'s `fer2013new.csv`.
    """

    def work(progress: Progress) -> str:
        progress(0, None, f"reading {file.name}")
        dataset = ferplus.attach(DatasetStore(home.data), name, file)
        return f"“{name}” has the votes for its {len(dataset):,} images now."

    return work


def _from_path(name: str) -> None:
    with st.form("votes_path", border=False):
        source = st.text_input(
            "File of votes",
            key="votes_source",
            placeholder="~/Downloads/fer2013new.csv",
            help=_HELP,
        )
        submitted = st.form_submit_button(
            "Add votes", type="primary", icon=":material/how_to_vote:", key="votes_submit"
        )
    if submitted:
        with views.guarded():
            if not source.strip():
                raise DatasetError("give the path of a file on this computer")
            file = sources.path(source)
            _begin(file, votes_work(resources.home(), name, file))
            st.rerun()


def _from_upload(name: str) -> None:
    uploaded = st.file_uploader(
        "File of votes", type="csv", key=sources.uploader_key("votes_upload"), help=_HELP
    )
    if st.button(
        "Add uploaded votes",
        key="votes_upload_submit",
        type="primary",
        icon=":material/how_to_vote:",
        disabled=uploaded is None,
    ):
        with views.guarded():
            _begin_upload(name, uploaded)


def _begin_upload(name: str, uploaded: UploadedFile | None) -> None:
    if uploaded is None:
        raise DatasetError("choose a file first")
    home = resources.home()
    with sources.upload_folder(home.data) as folder:
        file = sources.stored(uploaded, folder)
        _begin(file, sources.removing(folder, votes_work(home, name, file)))
    sources.upload_taken()
    st.rerun()


def _begin(file: Path, work: Work) -> None:
    resources.jobs().start(get_data.JOB, f"Votes from {file.name}", work)
