import json
import lzma
import os
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app import get_data, resources, sources, state
from app.messages import APOLOGY
from pipeline.dataset import Dataset
from pipeline.dataset.overlay import OverlayStore, exclude, relabel
from pipeline.errors import DatasetError
from pipeline.files import write_json
from pipeline.home import PROJECT_ROOT, Home
from pipeline.progress import Progress
from pipeline.runs import Run, RunStatus, RunStore, write_history, write_state
from pipeline.training.queue import RunQueue

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]
WriteDataset = Callable[..., Dataset]
WriteModel = Callable[..., None]


def csv_text(num_rows: int = 14) -> str:
    pixels = " ".join(["7"] * 48 * 48)
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = (f"{index % 7},{pixels},{usages[index % 3]}" for index in range(num_rows))
    return "\n".join(["emotion,pixels,Usage", *rows]) + "\n"


def make_run(home: Home, name: str, status: RunStatus, epochs_done: int, **state: object) -> Run:
    run = RunStore(home.runs).create({"epochs": 4, "dataset": "demo"}, name=name)
    write_state(run, replace(run.state, status=status, started=run.state.created, **state))
    write_history(
        run,
        [
            {"epoch": epoch, "val_accuracy": 0.5 + epoch / 100, "is_best": True}
            for epoch in range(1, epochs_done + 1)
        ],
    )
    return run


class RunLine(NamedTuple):
    status: str
    epochs: str
    accuracy: str
    dataset: str
    started: str
    note: str


def runs_shown(app: AppTest) -> dict[str, RunLine]:
    """The lines of the table of runs, by name."""
    (table,) = (item.proto.body for item in app.get("html") if "<table>" in item.proto.body)
    _, *rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = (map(unescape, re.findall(r"<t[hd][^>]*>([^<]*)<", row)) for row in rows)
    return {name: RunLine(*others) for name, *others in cells}


class TestEmptyHome:
    def test_tells_what_can_be_done(self, open_page: OpenPage, texts: Texts) -> None:
        words = texts(open_page())
        for expected in ("What you can do now", "Train for two", "No model yet", "No runs yet"):
            assert expected in words

    def test_nothing_is_written_by_looking(self, home: Home, open_page: OpenPage) -> None:
        open_page()
        assert not home.root.exists()

    def test_demo_dataset_is_one_click_away(
        self, home: Home, open_page: OpenPage, texts: Texts, finish_jobs: FinishJobs
    ) -> None:
        app = open_page()
        app.button(key="demo_submit").click().run()
        words = texts(finish_jobs(app))
        assert "1,400 drawn faces are ready" in words
        assert "Synthetic" in words
        bars = app.get("html")[0].proto.body
        assert "Images per class: Angry 200" in bars
        assert bars.count("<img") == 7
        # The next step is to train on it.
        assert app.button(key="first_train")


class TestGettingData:
    def test_import_by_path(
        self,
        home: Home,
        tmp_path: Path,
        open_page: OpenPage,
        texts: Texts,
        finish_jobs: FinishJobs,
    ) -> None:
        source = tmp_path / "fer2013.csv.xz"
        source.write_bytes(lzma.compress(csv_text().encode()))
        app = open_page()
        # As pasted from a file manager.
        app.text_input(key="import_source").set_value(f' "{source}" ')
        app.text_input(key="import_name").set_value("small")
        app.button(key="import_submit").click().run()
        words = texts(finish_jobs(app))
        assert "14 images are ready as “small”" in words
        assert state.load_preferences(home).active_dataset == "small"

    def test_upload(
        self, home: Home, open_page: OpenPage, texts: Texts, finish_jobs: FinishJobs
    ) -> None:
        app = open_page()
        app.file_uploader(key="upload_0").upload("faces.csv", csv_text().encode()).run()
        app.button(key="upload_submit").click().run()
        assert "14 images are ready as “fer2013”" in texts(finish_jobs(app))
        assert "From faces.csv" in texts(app)
        # Neither the copy on disk nor the one in the uploader is kept.
        assert [path.name for path in home.data.iterdir() if path.is_dir()] == ["fer2013"]
        app.session_state["get_data_fold"] = True
        assert app.run().file_uploader(key="upload_1").value is None

    def test_bad_table_gives_one_line_and_keeps_what_was_there(
        self,
        tmp_path: Path,
        open_page: OpenPage,
        texts: Texts,
        finish_jobs: FinishJobs,
        write_dataset: WriteDataset,
    ) -> None:
        write_dataset("fer2013")
        source = tmp_path / "bad.csv"
        source.write_text(csv_text(3).replace("7 7", "7 300", 1))
        app = open_page()
        app.session_state["get_data_fold"] = True
        app.run()
        app.text_input(key="import_source").set_value(str(source))
        app.button(key="import_submit").click().run()
        finish_jobs(app)
        (error,) = app.error
        assert "bad.csv" in error.value.replace("\\", "")
        assert "300" in error.value
        assert "\n" not in error.value
        assert len(resources.datasets().open("fer2013")) == 21

    @pytest.mark.parametrize(
        ("source", "name", "expected"),
        [("", "small", "Give the path"), ("/x.csv", "No Good", "cannot name a dataset")],
    )
    def test_incomplete_form_says_what_is_missing(
        self, open_page: OpenPage, source: str, name: str, expected: str
    ) -> None:
        app = open_page()
        app.text_input(key="import_source").set_value(source)
        app.text_input(key="import_name").set_value(name)
        app.button(key="import_submit").click().run()
        assert expected in app.error[0].value
        assert not resources.jobs().list()

    def test_running_job_shows_progress_and_can_be_cancelled(
        self, open_page: OpenPage, texts: Texts, finish_jobs: FinishJobs
    ) -> None:
        go_on = threading.Event()

        def work(progress: Progress) -> str:
            progress(25, 100, "reading rows")
            assert go_on.wait(20)
            progress(26, 100)
            return "never said"

        job = resources.jobs().start("dataset", "Slow import", work)
        app = open_page()
        assert "reading rows" in app.get("progress")[0].text
        app.button(key=f"cancel_{job.snapshot().id}").click().run()
        assert app.button(key=f"cancel_{job.snapshot().id}").disabled
        go_on.set()
        finish_jobs(app)
        assert "Cancelled" in app.info[0].value
        app.button(key=f"dismiss_{job.snapshot().id}").click().run()
        assert not app.info

    def test_success_is_told_once_and_a_failure_until_dismissed(
        self, open_page: OpenPage, finish_jobs: FinishJobs
    ) -> None:
        def fail(progress: Progress) -> str:
            raise DatasetError("no such file")

        app = open_page()
        resources.jobs().start("one", "Good", lambda progress: "it went well")
        resources.jobs().start("two", "Bad", fail)
        app = finish_jobs(app)
        assert "it went well" in app.success[0].value
        app.run()
        assert app.success
        # To who comes later it is no news.
        another = open_page()
        assert not another.success
        assert another.error
        app.switch_page(str(PROJECT_ROOT / "pages/responsible_use.py")).run()
        assert not app.success
        assert "No such file" in app.error[0].value
        app.switch_page(str(PROJECT_ROOT / "pages/overview.py")).run()
        assert not app.success
        assert app.error

    def test_second_import_at_once_is_refused(self, open_page: OpenPage, texts: Texts) -> None:
        go_on = threading.Event()

        def work(progress: Progress) -> str:
            assert go_on.wait(20)
            return "done"

        resources.jobs().start("dataset", "First", work)
        app = open_page()
        app.button(key="demo_submit").click().run()
        go_on.set()
        assert "still running" in app.error[0].value


class TestDatasets:
    def test_card_shows_the_counts(
        self, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        dataset = write_dataset("fer2013", number=2100)
        words = texts(open_page())
        assert "2,100 images" in words
        assert words.count(" 700 33 %") == 3
        assert dataset.meta.fingerprint[:12] in words
        heading = next(line for line in words.splitlines() if "material/database" in line)
        assert heading.strip().endswith("**Fer2013**")

    def test_votes_are_announced(
        self, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        import numpy as np

        write_dataset("fer2013")
        assert "FER+ votes]" not in texts(open_page())
        resources.datasets().attach_votes("fer2013", np.zeros((21, 10), np.uint8), "/x/votes.csv")
        assert "FER+ votes]" in texts(open_page())

    def test_another_can_be_made_active(
        self, home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("first", number=21)
        write_dataset("second", number=28)
        app = open_page()
        assert app.selectbox(key="active_dataset").value == "first"
        app.button(key="activate_second").click().run()
        assert app.selectbox(key="active_dataset").value == "second"
        app.selectbox(key="active_dataset").select("first").run()
        assert state.load_preferences(home).active_dataset == "first"
        # A new session finds the choice again.
        app.selectbox(key="active_dataset").select("second").run()
        assert open_page().selectbox(key="active_dataset").value == "second"

    def test_reimport_under_the_same_name_shows_at_once(
        self, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("fer2013", number=21)
        app = open_page()
        assert "21 images" in texts(app)
        write_dataset("fer2013", number=28, shade=200)
        assert "28 images" in texts(app.run())
        assert resources.faces("fer2013", 1)[0][0, 0, 0] == 200

    def test_delete_asks_first(
        self, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("first")
        write_dataset("second")
        app = open_page()
        app.button(key="delete_first").click().run()
        assert resources.datasets().names() == ["first", "second"]
        assert "for good" in texts(app)
        app.button(key="delete_confirmed").click().run()
        assert resources.datasets().names() == ["second"]
        # With one alone there is nothing to pick.
        assert not app.selectbox
        assert ":small[:gray[Dataset]]  \nsecond" in texts(app)

    def test_delete_says_which_edits_go_too_and_which_runs_cannot_go_on(
        self, home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        dataset = write_dataset("demo")
        app = open_page()
        app.button(key="delete_demo").click().run()
        assert "and so are any edits made of it." in texts(app)
        assert not app.warning
        overlays = OverlayStore(home.data)
        overlays.add(dataset, relabel([0, 7], 3), based_on=0)
        overlays.add(dataset, exclude([6]), based_on=1)
        live = {"pid": os.getpid(), "process_started": psutil.Process().create_time()}
        make_run(home, "busy", RunStatus.RUNNING, 1, **live)
        make_run(home, "done", RunStatus.FINISHED, 4)
        RunQueue(home).submit(make_run(home, "next", RunStatus.STOPPED, 1))
        elsewhere = make_run(home, "elsewhere", RunStatus.RUNNING, 1, **live)
        write_json(elsewhere.folder / "config.json", {"epochs": 4, "dataset": "others"})
        app.button(key="delete_demo").click().run()
        assert "and so are its edits (2 relabelled, 1 left out)." in texts(app)
        assert app.warning[0].value.endswith("cannot be continued afterwards: busy, next.")

    def test_the_only_one_is_deleted_where_it_is_shown(
        self, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("only")
        app = open_page()
        assert "material/stacks" not in texts(app)
        app.button(key="delete_only").click().run()
        app.button(key="delete_confirmed").click().run()
        assert resources.datasets().names() == []

    def test_the_only_one_can_be_deleted_though_it_is_damaged(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("broken")
        (home.data / "broken" / "images.npy").write_bytes(b"not an array")
        app = open_page()
        assert "broken' is damaged" in app.error[0].value
        app.button(key="delete_broken").click().run()
        app.button(key="delete_confirmed").click().run()
        assert resources.datasets().names() == []

    def test_damaged_dataset_is_named_and_hides_nothing_else(
        self, home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("broken")
        write_dataset("sound", number=28)
        (home.data / "broken" / "images.npy").write_bytes(b"not an array")
        state.remember(home, active_dataset="broken")
        app = open_page()
        assert "broken' is damaged" in app.error[0].value
        app.button(key="activate_sound").click().run()
        assert not app.error
        assert "28 images" in texts(app)

    def test_damaged_description_is_named_in_the_list(
        self, home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
    ) -> None:
        write_dataset("broken")
        write_dataset("sound", number=28)
        (home.data / "broken" / "meta.json").write_text("{")
        state.remember(home, active_dataset="sound")
        app = open_page()
        assert not app.error
        assert "Damaged" in texts(app)
        app.button(key="delete_broken").click().run()
        app.button(key="delete_confirmed").click().run()
        assert resources.datasets().names() == ["sound"]


class TestModel:
    def test_card_shows_scores_with_their_intervals(
        self, home: Home, open_page: OpenPage, texts: Texts, write_model: WriteModel
    ) -> None:
        run = make_run(home, "first-run", RunStatus.FINISHED, 4)
        write_model(run.folder)
        words = texts(open_page())
        for expected in ("first-run", "Test accuracy", "66.8 %", "65.2 to 68.3 %"):
            assert expected in words
        for expected in ("Clean accuracy", "66.2 %", "64.6 to 67.8 %", "2.36 M parameters"):
            assert expected in words
        assert "drawn faces only" not in words

    def test_model_of_drawn_faces_says_so(
        self, home: Home, open_page: OpenPage, texts: Texts, write_model: WriteModel
    ) -> None:
        write_model(make_run(home, "toy", RunStatus.FINISHED, 4).folder, synthetic=True)
        assert "drawn faces only" in texts(open_page())

    def test_model_without_a_report_says_how_to_get_one(
        self, home: Home, open_page: OpenPage, texts: Texts, write_model: WriteModel
    ) -> None:
        write_model(make_run(home, "toy", RunStatus.FINISHED, 4).folder, evaluated=False)
        assert "not been evaluated yet; the Evaluate page does it" in texts(open_page())

    def test_damaged_report_is_one_sentence(
        self, home: Home, open_page: OpenPage, write_model: WriteModel
    ) -> None:
        run = make_run(home, "toy", RunStatus.FINISHED, 4)
        write_model(run.folder)
        (run.folder / "evaluation.json").write_text(json.dumps({"test": {"accuracy": 1}}))
        app = open_page()
        assert not app.exception
        assert "evaluate the model again" in app.error[0].value


class TestRuns:
    def test_every_status_has_its_line(self, home: Home, open_page: OpenPage) -> None:
        me = psutil.Process()
        make_run(home, "a-queued", RunStatus.QUEUED, 0)
        make_run(home, "b-failed", RunStatus.FAILED, 1, reason="loss is not a number")
        make_run(home, "c-stopped", RunStatus.STOPPED, 2)
        make_run(home, "d-finished", RunStatus.FINISHED, 4)
        make_run(
            home, "e-running", RunStatus.RUNNING, 3, pid=me.pid, process_started=me.create_time()
        )
        make_run(home, "f-died", RunStatus.RUNNING, 3, pid=2**22 + 1, process_started=1.0)
        app = open_page()
        assert not app.error
        lines = runs_shown(app)
        assert [line.status.split()[1] for line in lines.values()] == [
            "Failed",
            "Running",
            "Finished",
            "Stopped",
            "Failed",
            "Not",  # started
        ]
        assert lines["c-stopped"].epochs == "2 / 4"
        assert lines["d-finished"].epochs == "4 / 4"
        assert lines["d-finished"].accuracy == "54.0\u00a0%"
        assert lines["a-queued"].accuracy == "—"
        assert "loss is not a number" in lines["b-failed"].note
        assert "without a word" in lines["f-died"].note

    def test_damaged_run_hides_no_other(self, home: Home, open_page: OpenPage) -> None:
        make_run(home, "sound", RunStatus.FINISHED, 4)
        (make_run(home, "broken", RunStatus.FINISHED, 4).folder / "config.json").write_text("{")
        lines = runs_shown(open_page())
        assert "Damaged" in lines["broken"].status
        assert "Finished" in lines["sound"].status

    def test_text_of_a_run_cannot_break_the_table(self, home: Home, open_page: OpenPage) -> None:
        make_run(home, "odd", RunStatus.FAILED, 1, reason="a <b>\nc **d**")
        assert runs_shown(open_page())["odd"].note == "a <b>\nc **d**"


def test_unforeseen_error_is_an_apology_and_logged(
    monkeypatch: pytest.MonkeyPatch, open_page: OpenPage, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("inner workings")

    monkeypatch.setattr("app.runs_view.latest", fail)
    app = open_page()
    assert not app.exception
    assert [error.value for error in app.error] == [APOLOGY]
    assert "inner workings" in caplog.text
    # What comes after the failed part is still there.
    assert app.expander(key="files").label == "Where your files are"


def test_the_name_of_a_dataset_that_is_there_is_not_suggested(
    home: Home, open_page: OpenPage, write_dataset: WriteDataset
) -> None:
    assert open_page().text_input(key="import_name").value == "fer2013"
    write_dataset("fer2013")
    app = open_page()
    app.session_state["get_data_fold"] = True
    assert app.run().text_input(key="import_name").value == "fer2013-2"


def test_folds_are_empty_until_they_are_opened(
    home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
) -> None:
    write_dataset("faces")
    app = open_page()
    assert str(home.data) not in texts(app)
    assert not app.text_input
    app.session_state["files"] = app.session_state["get_data_fold"] = True
    app.run()
    assert str(home.data) in texts(app)
    assert app.text_input(key="import_source").label == "File or folder"


def test_cancelled_upload_leaves_no_file(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "upload"
    folder.mkdir()
    (folder / "x.csv").write_text("emotion")
    work = sources.removing(folder, get_data.import_work(home, folder / "x.csv", "x"))
    with pytest.raises(DatasetError):
        work(lambda done, total, text="": None)
    assert not folder.exists()
    shutil.rmtree(home.root, ignore_errors=True)
