"""A disk that is full, or may only be read: a sentence each, what was there stays, no half files.

Those who run tests may be allowed everything, so that the modes of files bind them to nothing:
the functions of Python that write are made to fail instead.
"""

import builtins
import errno
import io
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources, state
from app.get_data import import_work
from app.messages import describe
from app.sources import removing
from pipeline.__main__ import main
from pipeline.dataset import DatasetStore
from pipeline.dataset.overlay import OverlayStore, exclude
from pipeline.errors import PipelineError
from pipeline.files import write_arrays
from pipeline.home import PROJECT_ROOT, Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video import writing
from pipeline.recognition.video.process import process
from pipeline.runs import RunStatus, RunStore, write_state
from pipeline.runs.notes import edit_notes
from pipeline.runs.transfer import export_runs, import_runs
from pipeline.training.queue import RunQueue
from tests.served_models import make_model
from tests.videos import write_video

Everything = Callable[[], set[str]]
PAGES = sorted((PROJECT_ROOT / "pages").glob("[a-z]*.py"))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disk:
    """The disk below a folder, as Python writes to it.

    Attributes:
        room: How many bytes can still be written.
        files: How many files and folders can still be made; a full disk has no room for them.
        read_only: Whether nothing can be changed at all.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = self.files = 2**40
        self.read_only = False
        self._root = str(root)
        true_open, true_os_open = io.open, os.open

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not self._holds(file) or not set(mode) & set("wxa+"):
                return true_open(file, mode, *args, **kwargs)
            self._make(file)
            stream = io.BufferedWriter(self._raw(file, mode.replace("b", "")))
            encoding = kwargs.get("encoding") or "utf-8"
            return stream if "b" in mode else io.TextIOWrapper(stream, encoding)

        def os_opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & _WRITING and self._holds(path):
                self._make(path)
            return true_os_open(path, flags, *args, **kwargs)

        monkeypatch.setattr(builtins, "open", opened)
        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr(os, "open", os_opened)
        monkeypatch.setattr(os, "mkdir", self._guarded(os.mkdir, self._make))
        for name in ("rename", "replace", "unlink", "rmdir"):
            guarded = self._guarded(getattr(os, name), self._change)
            monkeypatch.setattr(os, name, guarded)

    def _raw(self, file: Any, mode: str) -> io.FileIO:
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any, /) -> int:
                if memoryview(data).nbytes > disk.room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                disk.room -= memoryview(data).nbytes
                return super().write(data)

        return Raw(file, mode)

    def _guarded(self, function: Any, check: Callable[[Any], None]) -> Any:
        def call(path: Any, *args: Any, **kwargs: Any) -> Any:
            if self._holds(path):
                check(path)
            return function(path, *args, **kwargs)

        return call

    def _holds(self, path: Any) -> bool:
        return isinstance(path, str | Path) and str(path).startswith(self._root)

    def _change(self, path: Any) -> None:
        if self.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def _make(self, path: Any) -> None:
        self._change(path)
        if not Path(path).exists():
            if self.files <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            self.files -= 1


@pytest.fixture
def disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(home.root, monkeypatch)


@pytest.fixture
def filled(home: Home) -> Home:
    """A home with a dataset that has an edit, a model, and a run with a note."""
    labels = np.arange(21, dtype=np.uint8) % 7
    datasets = DatasetStore(home.data)
    with datasets.writer("faces") as writer:
        writer.append(np.full((21, 48, 48), 90, np.uint8), labels, labels % 3)
        writer.finish(title="Faces", source="test", kind="csv")
    OverlayStore(home.data).add(datasets.open("faces"), exclude([3]), based_on=0)
    runs = RunStore(home.runs)
    run = runs.create({"architecture": "dense", "dataset": "faces"}, name="first")
    write_state(run, run.state.__class__(RunStatus.STOPPED, created=run.state.created))
    edit_notes(run.folder, title="Before")
    make_model(home.ensembles / "bars")
    state.remember(home, active_dataset="faces")
    RunQueue(home).set_slots(2)
    return home


def table(home: Home) -> Path:
    folder = home.data / ".upload-test"
    folder.mkdir()
    pixels = " ".join(["7"] * 48 * 48)
    rows = (f"{index % 7},{pixels},Training" for index in range(40))
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return folder / "fer2013.csv"


def exported(home: Home) -> io.BytesIO:
    target = io.BytesIO()
    export_runs([RunStore(home.runs).get("first")], target)
    target.seek(0)
    return target


def prepare_import(home: Home) -> Callable[[], object]:
    source = table(home)
    work = removing(source.parent, import_work(home, source, "faces"))
    return lambda: work(lambda *_: None)


def prepare_edit(home: Home) -> Callable[[], object]:
    faces = DatasetStore(home.data).open("faces")
    return lambda: OverlayStore(home.data).add(faces, exclude([5]), based_on=1)


def prepare_run_import(home: Home) -> Callable[[], object]:
    source = exported(home)
    return lambda: import_runs(RunStore(home.runs), source)


ACTIONS: dict[str, Callable[[Home], Callable[[], object]]] = {
    "import a dataset": prepare_import,
    "edit a dataset": prepare_edit,
    "import a run": prepare_run_import,
    "make a run": lambda home: lambda: RunStore(home.runs).create({"epochs": 3}, name="second"),
    "delete a run": lambda home: lambda: RunStore(home.runs).delete("first"),
    "note": lambda home: lambda: edit_notes(home.runs / "first", title="After", note="x" * 3000),
    "choose a dataset": lambda home: lambda: state.remember(home, active_dataset="others"),
    "choose a model": lambda home: lambda: ModelCatalog(home).activate("bars"),
    "set the queue": lambda home: lambda: RunQueue(home).set_slots(3),
    "keep arrays": lambda home: (
        lambda: write_arrays(home.cache / "scores.npz", {"scores": np.zeros(5000)})
    ),
}


def contents(home: Home) -> dict[str, bytes]:
    """All that is in a home but locks and empty folders, which say nothing."""
    files = (
        path for path in home.root.rglob("*") if path.is_file() and not path.name.endswith(".lock")
    )
    return {str(path.relative_to(home.root)): path.read_bytes() for path in files}


def check_refusal(error: Exception) -> None:
    sentence = describe(error)
    assert sentence is not None, repr(error)
    assert "Errno" not in sentence, sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(("room", "files"), [(0, 99), (1500, 99), (2**40, 0), (2**40, 1)])
@pytest.mark.parametrize("action", ACTIONS)
def test_full_disk_changes_nothing(
    filled: Home, disk: Disk, action: str, room: int, files: int
) -> None:
    """However much still fits: it is done whole, or not at all and with a reason."""
    before, act = contents(filled), ACTIONS[action](filled)
    disk.room, disk.files = room, files
    try:
        act()
    except (PipelineError, OSError) as error:
        check_refusal(error)
        assert contents(filled) == before
    else:
        assert room > 0 or action == "delete a run"
        assert not [name for name in contents(filled) if "tmp" in name or "incoming" in name]


@pytest.mark.parametrize("action", ACTIONS)
def test_read_only_folder_is_told(filled: Home, disk: Disk, action: str) -> None:
    before, act = contents(filled), ACTIONS[action](filled)
    uploaded = {name for name in contents(filled) if name not in before}
    disk.read_only = True
    with pytest.raises((PipelineError, OSError)) as caught:
        act()
    check_refusal(caught.value)
    assert {name: data for name, data in contents(filled).items() if name not in uploaded} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk always full")
def test_video_without_room_for_its_copy_is_analysed(
    home: Home, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_video(home.root / "clip.mp4", 20)
    # FFmpeg writes without Python's help.
    full = partial(av.open, "/dev/full", "w", format="mp4")
    monkeypatch.setattr(writing, "_create", lambda path: full())
    analysis = process(video, recognizer, annotated=home.root / "marked.mp4")
    assert analysis.samples
    assert "The marked copy of clip.mp4 cannot be written: No space left" in analysis.notes[-1]
    assert [path.name for path in home.root.iterdir()] == ["clip.mp4"]


def test_command_says_so_in_one_line(
    filled: Home, disk: Disk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipeline", "runs", "edit", "first", "--title", "After"])
    disk.room = 0
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: the disk is full: free some space and try again\n"


def test_every_page_opens_in_a_read_only_folder(
    filled: Home, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "models", lambda: ModelCatalog(resources.home()))
    disk.read_only = True
    app = AppTest.from_file(str(PROJECT_ROOT / "streamlit_app.py"), default_timeout=60).run()
    for page in PAGES:
        app.switch_page(str(page)).run()
        assert not app.exception, app.exception[0].message
        # Work that a page begins by itself cannot keep its results, and says so.
        for error in app.error:
            assert "can only be read" in error.value, f"{page.name}: {error.value}"
    resources.jobs().close()
    st.cache_resource.clear()
