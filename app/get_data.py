"""The ways to get a dataset: a path, an upload, Kaggle, the demo faces."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import resources, sources, state, views
from app.jobs import Work
from pipeline.dataset import DatasetStore
from pipeline.dataset.store import check_name
from pipeline.errors import DatasetError
from pipeline.home import Home
from pipeline.progress import Progress

JOB = "dataset"
"""One import at a time, of whatever kind; that of votes too."""

DEMO = "demo"
"""What the dataset of drawn faces is called."""

_FER2013 = "fer2013"
_UPLOAD_TYPES = ("csv", "zip", "gz", "xz", "tar", "tgz", "txz", "parquet")


def begin_demo() -> None:
    """Begins drawing the demo faces.

    Raises:
        JobBusyError: If a dataset is being imported.
    """
    resources.jobs().start(JOB, "Demo dataset", demo_work(resources.home()))


def start_demo() -> None:
    """As `begin_demo`; a callback."""
    with views.guarded():
        begin_demo()


def is_coming() -> bool:
    """Whether a dataset is being made just now."""
    return resources.jobs().is_running(JOB)


def no_dataset(why: str, *, key: str) -> None:
    """Says that there is no dataset yet, and offers to get one.

    Args:
        why: What one is needed for, a sentence.
        key: A stable name for tests and styles.
    """
    with st.container(border=True, horizontal_alignment="center", key=key):
        if is_coming():
            views.under_way("A dataset is on its way")
            return
        views.empty_state(
            "No dataset yet", f"{why} Import FER-2013, or let FER Lab draw faces in a few seconds."
        )
        with st.container(
            horizontal=True, horizontal_alignment="center", vertical_alignment="center"
        ):
            st.button(
                "Build the demo dataset",
                key=f"{key}_demo",
                type="primary",
                icon=":material/draw:",
                on_click=start_demo,
            )
            st.page_link("pages/overview.py", label="Import FER-2013", icon=":material/file_open:")
        st.space("small")


def section() -> None:
    """Four tabs, one for each way."""
    here, upload, kaggle, demo = st.tabs(
        [
            ":material/folder_open: This computer",
            ":material/upload: Upload",
            ":material/cloud_download: Kaggle",
            ":material/draw: Demo",
        ]
    )
    with here:
        _from_path()
    with upload:
        _from_upload()
    with kaggle:
        _from_kaggle()
    with demo:
        _from_demo()


def import_work(home: Home, source: Path, name: str, votes: Path | None = None) -> Work:
    """The work of importing a dataset and making it the active one.

    Args:
        home: Where datasets and choices are kept.
        source: A file or folder in any form that FER-2013 comes in.
        name: What the dataset is to be called.
        votes: A file of FER+ votes for the same images.
    """

    def work(progress: Progress) -> str:
        # Readers bring pyarrow and more: not before they are wanted.
        from pipeline.dataset.readers import import_dataset

        dataset = import_dataset(
            source, DatasetStore(home.data), name, votes=votes, progress=progress
        )
        state.remember(home, active_dataset=dataset.name)
        return f"{len(dataset):,} images are ready as “{dataset.name}”."

    return work


def kaggle_work(home: Home, name: str) -> Work:
    """The work of fetching FER-2013 from Kaggle and importing it."""

    def work(progress: Progress) -> str:
        from pipeline.dataset.kaggle import download

        return import_work(home, download(progress), name)(progress)

    return work


def demo_work(home: Home) -> Work:
    """The work of drawing the demo faces."""

    def work(progress: Progress) -> str:
        from pipeline.dataset.synthetic import build_demo

        dataset = build_demo(DatasetStore(home.data), DEMO, progress=progress)
        state.remember(home, active_dataset=dataset.name)
        return f"{len(dataset):,} drawn faces are ready. They are synthetic: for trying things out."

    return work


def _from_path() -> None:
    with st.form("import_path", border=False):
        source = st.text_input(
            "File or folder",
            key="import_source",
            placeholder="~/Downloads/fer2013.csv",
            help="fer2013.csv (also .gz, .xz or in a zip), icml_face_data.csv, train.csv with "
            "test.csv, the Kaggle image folder, a zip or tar of these, or a parquet file.",
        )
        with st.container(horizontal=True):
            name = _name_input("import_name")
            votes = st.text_input(
                "FER+ votes (optional)",
                key="import_votes",
                placeholder="~/Downloads/fer2013new.csv",
                help="Ten people's votes per image, from Microsoft's FERPlus repository; the rows "
                "follow those of fer2013.csv.",
            )
        submitted = st.form_submit_button(
            "Import", type="primary", icon=":material/file_open:", key="import_submit"
        )
    if submitted:
        with views.guarded():
            _begin_path(source, name, votes)


def _begin_path(source: str, name: str, votes: str) -> None:
    if not source.strip():
        raise DatasetError("give the path of a file or folder on this computer")
    check_name(name)
    path = sources.path(source)
    work = import_work(resources.home(), path, name, sources.path(votes) if votes.strip() else None)
    resources.jobs().start(JOB, f"Import of {path.name}", work)
    st.rerun()


def _from_upload() -> None:
    uploaded = st.file_uploader(
        "File in any supported form, up to 500 MB",
        type=_UPLOAD_TYPES,
        key=sources.uploader_key("upload"),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _name_input("upload_name")
        votes = st.file_uploader(
            "FER+ votes (optional)",
            type="csv",
            key=sources.uploader_key("upload_votes"),
        )
    if st.button(
        "Import upload",
        key="upload_submit",
        type="primary",
        icon=":material/file_open:",
        disabled=uploaded is None,
    ):
        with views.guarded():
            _begin_upload(uploaded, votes, name)


def _begin_upload(uploaded: UploadedFile | None, votes: UploadedFile | None, name: str) -> None:
    if uploaded is None:
        raise DatasetError("choose a file first")
    check_name(name)
    home = resources.home()
    with sources.upload_folder(home.data) as folder:
        source = sources.stored(uploaded, folder)
        votes_file = sources.stored(votes, folder / "votes") if votes is not None else None
        work = sources.removing(folder, import_work(home, source, name, votes_file))
        resources.jobs().start(JOB, f"Import of {source.name}", work)
    sources.upload_taken()
    st.rerun()


def _from_kaggle() -> None:
    st.markdown(
        "Kaggle gives FER-2013 (96 MB) to people with a free account:\n"
        "1. Accept the rules of the *Facial Expression Recognition Challenge* of 2013 there.\n"
        "2. Under *Settings → API* create a token, and save it as `~/.kaggle/access_token` or "
        "set `KAGGLE_API_TOKEN` to it before starting FER Lab.\n"
        "3. Install Kaggle's client once: `.venv/bin/pip install kagglehub`."
    )
    st.caption("This button uses the internet.")
    if st.button("Download FER-2013", key="kaggle_submit", icon=":material/cloud_download:"):
        with views.guarded():
            work = kaggle_work(resources.home(), _FER2013)
            resources.jobs().start(JOB, "FER-2013 from Kaggle", work)
            st.rerun()


def _from_demo() -> None:
    st.markdown(
        "1,400 cartoon faces in the seven expressions, drawn here in a few seconds. "
        f"{views.SYNTHETIC_BADGE} {views.SYNTHETIC_HELP}"
    )
    # No callback: within a fold, only the fold would be drawn anew after it.
    if st.button("Build the demo dataset", key="demo_submit", icon=":material/draw:"):
        with views.guarded():
            begin_demo()
            st.rerun()


def _name_input(key: str) -> str:
    name = st.text_input(
        "Name",
        value=_free_name(),
        key=key,
        help="A dataset that has this name already is replaced once the import has succeeded.",
    )
    return name.strip()


def _free_name() -> str:
    """A name that replaces nothing unless somebody wants it to."""
    taken = resources.datasets().names()
    numbered = (f"{_FER2013}-{number}" for number in count(2))
    return next(name for name in chain([_FER2013], numbered) if name not in taken)
