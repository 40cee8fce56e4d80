import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app import resources, state
from pipeline.dataset import Dataset, synthetic
from pipeline.home import Home
from pipeline.progress import Progress
from pipeline.recognition.contract import EVALUATION
from pipeline.runs import Run, RunStatus, RunStore, write_state
from pipeline.training.config import TrainingConfig
from tests.served_models import make_model

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]
WriteDataset = Callable[..., Dataset]
WriteModel = Callable[..., None]


@pytest.fixture
def shipped(home: Home, tmp_path: Path, write_model: WriteModel) -> Path:
    """A model that came with the program, with the figures that it had."""
    folder = make_model(tmp_path / "shipped" / "sight")
    # Its figures only: the fixture's contract describes a model that this one is not.
    write_model(tmp_path / "figures")
    stored = json.loads((tmp_path / "figures" / EVALUATION).read_text())
    stored["test"]["confusion_matrix"] = [
        [400 if row == column else 20 for column in range(7)] for row in range(7)
    ]
    (folder / EVALUATION).write_text(json.dumps(stored))
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs whose training was started; no process is."""
    runs: list[Run] = []

    def start(run: Run, home: Home) -> int:
        runs.append(run)
        return 2**22 + 1  # beyond any process

    monkeypatch.setattr("pipeline.training.worker.spawn", start)
    return runs


@pytest.fixture
def few_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws the demo faces in a moment, for what is not about their number."""
    few = partial(synthetic.build_demo, num_images=21)
    monkeypatch.setattr(synthetic, "build_demo", few)


def steps(app: AppTest) -> list[str]:
    """The steps that are offered, by key."""
    keys = [button.key or "" for button in app.button]
    return [key[6:] for key in keys if key.startswith("first_") and key != "first_hide"]


class TestShippedModelOnly:
    def test_five_clicks_are_offered_and_looking_writes_nothing(
        self, shipped: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        app = open_page()
        assert steps(app) == ["photo", "live", "confusion", "explore", "train"]
        words = texts(app)
        assert "The model sight is ready" in words
        assert "right on 66.8 % of 3,589 test images" in words
        assert not home.root.exists()

    def test_example_is_recognised_in_one_click(
        self, shipped: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        app = open_page()
        app.button(key="first_photo").click().run()
        assert app.title[0].value == "Photo"
        assert "astronaut.png · 512 × 512 pixels · 1 face" in texts(app)
        # It has served: no later visit offers it.
        assert "photo" not in steps(open_page())

    def test_confusion_matrix_is_there_in_one_click(
        self, shipped: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        app = open_page()
        app.button(key="first_confusion").click().run()
        assert app.title[0].value == "Evaluate"
        assert not app.error
        assert app.selectbox(key="evaluation_model").value == "sight"
        assert app.segmented_control(key="confusion_numbers")
        assert app.get("plotly_chart")
        words = texts(app)
        assert "Mixed up most" in words
        # No way that ends at images which are not here; instead, how to get them.
        assert "once the dataset is imported" in words
        assert not [button for button in app.button if (button.key or "").startswith("pair_")]
        assert not resources.jobs().list()
        assert "confusion" not in steps(open_page())

    def test_demo_faces_are_built_and_shown_in_one_click(
        self,
        shipped: Path,
        few_faces: None,
        open_page: OpenPage,
        texts: Texts,
        finish_jobs: FinishJobs,
    ) -> None:
        app = open_page()
        app.button(key="first_explore").click().run()
        assert app.title[0].value == "Dataset"
        app = finish_jobs(app)
        assert "21 images" in texts(app)
        assert app.tabs
        assert steps(open_page()) == ["photo", "live", "confusion", "train"]

    def test_training_is_one_click_and_is_watched(
        self,
        shipped: Path,
        few_faces: None,
        home: Home,
        open_page: OpenPage,
        texts: Texts,
        finish_jobs: FinishJobs,
        started: list[Run],
    ) -> None:
        app = open_page()
        app.button(key="first_train").click().run()
        assert app.title[0].value == "Train"
        app = finish_jobs(app)
        (run,) = started
        assert run.config["dataset"] == "demo"
        # All of the few images, in few epochs: so it ends within minutes, and well.
        assert (run.config["subset"], run.config["epochs"]) == (1.0, 10)
        assert app.selectbox(key="train_watched").value == run.id
        assert "train" not in steps(open_page())

    def test_webcam_in_one_click(self, shipped: Path, open_page: OpenPage) -> None:
        app = open_page()
        app.button(key="first_live").click().run()
        assert app.title[0].value == "Live"
        assert "live" not in steps(open_page())

    def test_hidden_for_good(self, shipped: Path, open_page: OpenPage, texts: Texts) -> None:
        app = open_page()
        app.button(key="first_hide").click().run()
        assert not steps(app)
        assert "What you can do now" not in texts(app)
        assert not steps(open_page())

    def test_damaged_figures_cost_only_their_step(self, shipped: Path, open_page: OpenPage) -> None:
        (shipped / EVALUATION).write_text('{"test": {"accuracy": 1}}')
        app = open_page()
        assert steps(app) == ["photo", "live", "explore", "train"]
        assert len(app.error) == 1


class TestTraining:
    def test_own_dataset_is_trained_on_at_once(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[Run],
    ) -> None:
        write_dataset("photos")
        app = open_page()
        app.button(key="first_train").click().run()
        (run,) = started
        assert run.config["dataset"] == "photos"
        assert run.config["subset"] == 0.1
        assert app.title[0].value == "Train"
        assert app.selectbox(key="train_watched").value == run.id

    def test_cancelled_drawing_starts_no_training(
        self, home: Home, open_page: OpenPage, finish_jobs: FinishJobs, started: list[Run]
    ) -> None:
        app = open_page()
        app.button(key="first_train").click()
        app.run()
        (job,) = resources.jobs().list()
        resources.jobs().cancel(job.id)
        finish_jobs(app)
        assert resources.jobs().list()[0].state == "cancelled"
        assert not started

    def test_refused_while_an_import_runs(self, open_page: OpenPage) -> None:
        go_on = threading.Event()

        def work(progress: Progress) -> str:
            assert go_on.wait(20)
            return "done"

        resources.jobs().start("dataset", "First", work)
        app = open_page()
        app.button(key="first_train").click().run()
        go_on.set()
        assert app.title[0].value == "Overview"
        assert "still running" in app.error[0].value


class TestWithoutModel:
    def test_says_how_to_get_one(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page()
        assert steps(app) == ["explore", "train"]
        assert "need a model, and none came with this copy" in texts(app)

    @pytest.mark.parametrize("page", ["photo", "video", "live", "evaluation"])
    def test_each_page_offers_to_train_one(
        self,
        page: str,
        few_faces: None,
        open_page: OpenPage,
        finish_jobs: FinishJobs,
        started: list[Run],
    ) -> None:
        app = open_page(f"pages/{page}.py")
        app.button(key="no_model_train").click().run()
        assert app.title[0].value == "Train"
        finish_jobs(app)
        assert len(started) == 1

    def test_page_says_that_one_is_being_trained(
        self, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        run = RunStore(home.runs).create({**TrainingConfig().to_dict(), "dataset": "demo"})
        me = psutil.Process()
        process = {"pid": me.pid, "process_started": me.create_time()}
        write_state(run, replace(run.state, status=RunStatus.RUNNING, **process))
        app = open_page("pages/photo.py")
        assert "A network is being trained" in texts(app)
        assert "no_model_train" not in [button.key for button in app.button]


def test_whoever_has_begun_sees_one_line(
    shipped: Path, home: Home, open_page: OpenPage, texts: Texts, write_dataset: WriteDataset
) -> None:
    write_dataset("photos")
    RunStore(home.runs).create({**TrainingConfig().to_dict(), "dataset": "photos"})
    app = open_page()
    assert steps(app) == ["photo", "live", "confusion"]
    assert "What you can do now" not in texts(app)
    state.remember(home, first_steps=["photo", "live", "confusion"])
    app = open_page()
    assert not steps(app)
    assert "first_hide" not in [button.key for button in app.button]


@pytest.mark.parametrize("page", ["train", "sweeps", "dataset"])
def test_pages_know_that_a_dataset_is_on_its_way(
    page: str, open_page: OpenPage, texts: Texts
) -> None:
    go_on = threading.Event()

    def work(progress: Progress) -> str:
        assert go_on.wait(20)
        return "done"

    resources.jobs().start("dataset", "Demo dataset", work)
    words = texts(open_page(f"pages/{page}.py"))
    go_on.set()
    assert "A dataset is on its way" in words
    assert "No dataset yet" not in words
