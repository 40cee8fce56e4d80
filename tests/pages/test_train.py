import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.training import costs, draft, fields
from app.training.form import TAB
from pipeline.dataset import Dataset
from pipeline.dataset.overlay import OverlayStore, exclude, relabel
from pipeline.home import PROJECT_ROOT, Home
from pipeline.progress import Cancelled, Progress
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import MODEL_KERAS, MODEL_ONNX
from pipeline.runs import Run, RunStatus, RunStore, write_history, write_state
from pipeline.training import arithmetic
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.estimate import Estimate
from pipeline.training.presets import PRESETS
from pipeline.training.queue import RunQueue
from tests.served_models import bar_weights, make_model, write_network

PAGE = "pages/train.py"

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]
WriteDataset = Callable[..., Dataset]


def entry(epoch: int, accuracy: float, *, is_best: bool = True) -> dict[str, object]:
    return {
        "epoch": epoch,
        "loss": 1.5 / epoch,
        "accuracy": accuracy + 0.05,
        "val_loss": 1.6 / epoch,
        "val_accuracy": accuracy,
        "val_macro_f1": accuracy - 0.1,
        "learning_rate": 1e-3,
        "images_per_second": 512.0,
        "seconds": 30.0,
        "is_best": is_best,
    }


def make_run(home: Home, name: str, status: RunStatus, *, epochs: int = 0, **state: object) -> Run:
    config = {**TrainingConfig(epochs=4).to_dict(), "dataset": "faces", "dataset_fingerprint": "f"}
    run = RunStore(home.runs).create(config, name=name)
    write_state(run, replace(run.state, status=status, started=run.state.created, **state))
    write_history(run, [entry(number, 0.5 + number / 100) for number in range(1, epochs + 1)])
    return run


def running(home: Home, name: str, *, epochs: int = 0) -> Run:
    """A run whose training process is this one."""
    started = psutil.Process().create_time()
    return make_run(
        home, name, RunStatus.RUNNING, epochs=epochs, pid=os.getpid(), process_started=started
    )


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that the page has started; no process is."""
    runs: list[Run] = []

    def start(run: Run, home: Home) -> int:
        runs.append(run)
        return 2**22 + 1  # beyond any process

    monkeypatch.setattr("pipeline.training.worker.spawn", start)
    return runs


def group(app: AppTest, title: str) -> AppTest:
    """Opens a group of settings."""
    app.session_state[TAB] = title
    return app.run()


class TestForm:
    def test_without_a_dataset_it_says_what_to_do(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        assert "No dataset yet" in texts(app)
        assert [button.key for button in app.button] == ["train_no_dataset_demo"]

    def test_has_a_widget_for_every_setting(
        self, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        for title, names in fields.groups().items():
            app = group(app, title.capitalize())
            kinds = (app.number_input, app.selectbox, app.toggle)
            keys = {item.key for kind in kinds for item in kind}
            assert {f"train_{name}" for name in names} <= keys
            # The others are not there: a form of forty widgets would take twice as long.
            assert not keys & {f"train_{name}" for name in settings() if name not in names}
            for name in names:
                setting = settings()[name]
                if setting.low is not None:
                    widget = app.number_input(f"train_{name}")
                    assert (widget.min, widget.max) == (setting.low, setting.high), name
                    assert setting.help in widget.help

    def test_presets_fill_it_and_a_change_leaves_them(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        presets = app.pills("train_preset")
        assert presets.value == "seed"
        app = presets.set_value("best_cpu").run()
        best = next(preset.config for preset in PRESETS if preset.name == "best_cpu")
        assert draft.load(home).values == best.to_dict()
        app = group(app, "Optimisation")
        assert app.number_input("train_ema").value == 0.999
        app = app.number_input("train_epochs").set_value(20).run()
        assert app.pills("train_preset").value is None
        # Another tab, such as after a reload, finds it as it was left.
        assert group(open_page(PAGE), "Optimisation").number_input("train_epochs").value == 20

    def test_arithmetic_that_the_processor_lacks_is_told_and_left_in_a_click(
        self,
        write_dataset: WriteDataset,
        home: Home,
        open_page: OpenPage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write_dataset("fer")
        monkeypatch.setattr(arithmetic, "has_bfloat16", lambda: False)
        app = open_page(PAGE)
        assert not app.warning
        draft.change(home, precision="mixed_bfloat16")
        app.run()
        assert "several times as fast" in app.warning[0].value
        app.button(key="train_float32").click().run()
        assert not app.warning
        assert draft.load(home).values["precision"] == "float32"

    def test_an_emptied_number_comes_back(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        app = group(open_page(PAGE), "Optimisation")
        app = app.number_input("train_epochs").set_value(20).run()
        for name, value in (("epochs", 20), ("batch_size", 64), ("learning_rate", 1e-3)):
            app = app.number_input(f"train_{name}").set_value(None).run()
            assert not app.exception
            assert app.number_input(f"train_{name}").value == value
            assert draft.load(home).values[name] == value

    def test_only_what_matters_can_be_set(
        self, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        assert app.number_input("train_soft_labels").disabled
        app = group(app, "Network")
        assert app.selectbox("train_attention").disabled
        app = app.selectbox("train_architecture").set_value("resnet").run()
        assert not app.selectbox("train_attention").disabled
        app = group(app, "Optimisation")
        assert app.number_input("train_warmup_epochs").disabled
        assert not app.number_input("train_plateau_patience").disabled
        app = app.selectbox("train_schedule").set_value("cosine").run()
        assert not app.number_input("train_warmup_epochs").disabled
        assert app.number_input("train_plateau_patience").disabled

    def test_a_contradiction_is_one_line_and_cannot_be_started(
        self, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        app = group(open_page(PAGE), "Optimisation")
        app.text_input("train_name").set_value("mine")
        app.selectbox("train_schedule").set_value("cosine").run()
        app.number_input("train_warmup_epochs").set_value(60.0)
        app = app.run()
        assert [error.value for error in app.error] == [
            "“Warm-up, epochs” (60) must be below “Epochs at most” (50)."
        ]
        # What was entered as its name stays in sight.
        assert app.text_input("train_name").value == "mine"
        assert app.button("train_start").disabled

    def test_what_has_no_effect_does_not_reach_the_run(
        self, open_page: OpenPage, write_dataset: WriteDataset, started: list[Run]
    ) -> None:
        write_dataset("faces")
        app = group(open_page(PAGE), "Network")
        app.selectbox("train_architecture").set_value("resnet").run()
        app.selectbox("train_attention").set_value("se").run()
        app.selectbox("train_architecture").set_value("vgg").run()
        app.button("train_start").click().run()
        assert started[0].config["attention"] == "none"
        assert started[0].config["architecture"] == "vgg"


class TestEdits:
    def test_no_choice_without_edits(
        self, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        assert "train_edits" not in {item.key for item in open_page(PAGE).selectbox}

    def test_the_latest_are_trained_with_and_a_clone_keeps_its_version(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[Run],
        texts: Texts,
    ) -> None:
        dataset, overlays = write_dataset("faces"), OverlayStore(home.data)
        overlays.add(dataset, relabel([0, 1], 6), based_on=0)
        app = open_page(PAGE)
        choice = app.selectbox("train_edits")
        assert choice.value == "none"
        assert choice.options == ["None, as imported", "Version 1 (latest): 2 relabelled"]
        choice.set_value("latest").run()
        # What is edited before the start is trained with too.
        overlays.add(dataset, exclude([2]), based_on=1)
        app = open_page(PAGE)
        assert app.selectbox("train_edits").options[1] == (
            "Version 2 (latest): 2 relabelled, 1 left out"
        )
        app = app.button("train_start").click().run()
        (run,) = started
        edited = overlays.edited(dataset, 2)
        assert run.config["overlay_version"] == 2
        assert run.config["edited_fingerprint"] == edited.meta.fingerprint
        assert run.config["dataset_fingerprint"] == dataset.meta.fingerprint
        overlays.add(dataset, exclude([3]), based_on=2)
        assert "on faces with version 2 of its edits" in texts(app)
        app = app.button("train_clone").click().run()
        assert app.selectbox("train_edits").value == "2"
        assert app.selectbox("train_edits").options[2] == "Version 2: 2 relabelled, 1 left out"

    def test_a_clone_whose_version_is_gone_says_so(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        draft.fill(home, {**TrainingConfig().to_dict(), "dataset": "faces", "overlay_version": 4})
        app = open_page(PAGE)
        assert "Version 4 of the edits" in app.warning[0].value
        assert "train_start" in {button.key for button in app.button}


class TestDataset:
    def test_the_form_follows_the_newer_choice(
        self, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        write_dataset("others")
        app = open_page(PAGE)
        assert app.selectbox("active_dataset").value == "faces"
        app = app.selectbox("train_dataset").set_value("others").run()
        # What is chosen for a training is not what the other pages show.
        assert app.selectbox("active_dataset").value == "faces"
        app = app.selectbox("active_dataset").set_value("others").run()
        app = app.selectbox("active_dataset").set_value("faces").run()
        assert app.selectbox("train_dataset").value == "faces"
        app = app.selectbox("train_dataset").set_value("others").run()
        open_page().button("activate_others").click().run().button("activate_faces").click().run()
        assert open_page(PAGE).selectbox("train_dataset").value == "faces"

    def test_a_clone_whose_dataset_is_gone_says_which_is_taken_instead(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset, started: list[Run]
    ) -> None:
        write_dataset("others")
        make_run(home, "done", RunStatus.FINISHED, epochs=4)
        app = open_page(PAGE)
        assert not app.warning
        app = app.segmented_control("train_view").set_value("Watch").run()
        app = app.button("train_clone").click().run()
        assert [warning.value for warning in app.warning] == [
            "The dataset “faces” is not there any more: “others” is taken instead."
        ]
        # Who starts it has agreed.
        app = app.button("train_start").click().run()
        assert started[0].config["dataset"] == "others"
        app = app.segmented_control("train_view").set_value("New run").run()
        assert not app.warning


class TestStart:
    def test_starts_what_the_form_says_and_shows_it(
        self, open_page: OpenPage, write_dataset: WriteDataset, started: list[Run], texts: Texts
    ) -> None:
        dataset = write_dataset("faces")
        app = group(open_page(PAGE), "Optimisation")
        app.number_input("train_epochs").set_value(7).run()
        app.text_input("train_name").set_value("my-run").run()
        app = app.button("train_start").click().run()
        assert [run.id for run in started] == ["my-run"]
        assert started[0].config == {
            **TrainingConfig(epochs=7).to_dict(),
            "dataset": "faces",
            "dataset_fingerprint": dataset.meta.fingerprint,
            "overlay_version": None,
            "edited_fingerprint": None,
            "votes_fingerprint": None,
        }
        assert app.selectbox("train_watched").value == "my-run"
        # The process of this test never lived, and that is said.
        assert "ended before it began" in texts(app)

    def test_a_name_that_cannot_be_is_one_line(
        self, open_page: OpenPage, write_dataset: WriteDataset, started: list[Run]
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        app.text_input("train_name").set_value("No good").run()
        app = app.button("train_start").click().run()
        assert "cannot name a run" in app.error[0].value
        assert not started

    def test_weights_of_another_network_are_told_in_the_words_of_the_form(
        self,
        home: Home,
        tmp_path: Path,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[Run],
    ) -> None:
        write_dataset("faces")
        training = TrainingConfig(architecture="vgg", width=0.5).to_dict()
        folder = make_model(tmp_path / "other", training=training)
        (folder / MODEL_KERAS).touch()
        draft.change(home, start_from=str(folder))
        app = open_page(PAGE).button("train_start").click().run()
        assert app.error[0].value.endswith(
            "its network has “Network” vgg, “Width factor” 0.5, the one to train “Network” "
            r"seed\_cnn, “Width factor” 1.0; train one with “Network” vgg, “Width factor” 0.5, or "
            "choose another model."
        )
        assert not started

    def test_a_second_run_gets_in_line(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[Run],
        texts: Texts,
    ) -> None:
        write_dataset("faces")
        running(home, "busy")
        app = open_page(PAGE)
        assert app.segmented_control("train_view").value == "Watch"
        for name, place in (("one", "Next in the queue"), ("two", "Second in the queue")):
            app = app.segmented_control("train_view").set_value("New run").run()
            app.text_input("train_name").set_value(name).run()
            app = app.button("train_start").click().run()
            assert "Queued" in texts(app)
            assert place in app.get("progress")[0].proto.text
        assert not started
        # Its turn can come sooner, or never.
        app = app.button("queue_up_2").click().run()
        assert RunQueue(home).state.waiting == ("two", "one")
        app = app.button("train_out").click().run()
        assert RunQueue(home).state.waiting == ("one",)
        assert "Not started" in texts(app)
        app = app.selectbox("train_watched").set_value("one").run()
        app.button("train_now").click().run()
        assert [run.id for run in started] == ["one"]

    def test_with_more_room_those_in_line_start(
        self, home: Home, open_page: OpenPage, started: list[Run]
    ) -> None:
        running(home, "busy")
        RunQueue(home).submit(make_run(home, "next", RunStatus.STOPPED, epochs=1))
        app = open_page(PAGE)
        app.number_input("queue_slots").set_value(2).run()
        assert [run.id for run in started] == ["next"]


class TestCosts:
    def test_known_figures_at_once_measured_ones_on_request(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        finish_jobs: FinishJobs,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write_dataset("faces")
        asked = []

        def measure(
            config: TrainingConfig, dataset: str, home: Home, progress: Progress
        ) -> Estimate:
            asked.append((config, dataset))
            return Estimate(43_015, 1_530_080, 90.0, 2813.0, 835.0)

        monkeypatch.setattr(costs, "estimate", measure)
        app = open_page(PAGE)
        assert "2.36 M" in texts(app)
        app = group(app, "Network").number_input("train_width").set_value(0.25).run()
        assert "2.36 M" not in texts(app)
        app = finish_jobs(app.button("train_measure").click().run())
        assert asked == [(TrainingConfig(width=0.25), "faces")]
        words = texts(app)
        assert "43 k" in words
        assert "1 h 15 min" in words  # 50 epochs of 90 s
        # More epochs cost more, but need no new measurement; another batch size does.
        app = group(app, "Optimisation").number_input("train_epochs").set_value(100).run()
        assert "2 h 30 min" in texts(app)
        app = app.number_input("train_batch_size").set_value(32).run()
        assert "train_measure" in {button.key for button in app.button}

    def test_cancelling_keeps_nothing(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        finish_jobs: FinishJobs,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write_dataset("faces")

        def measure(*args: object) -> Estimate:
            raise Cancelled("cancelled")

        monkeypatch.setattr(costs, "estimate", measure)
        app = finish_jobs(open_page(PAGE).button("train_measure").click().run())
        assert costs.stored(home, TrainingConfig(), "any") is None
        assert "train_measure" in {button.key for button in app.button}


class TestWatch:
    def test_shows_a_running_run(self, home: Home, open_page: OpenPage, texts: Texts) -> None:
        run = running(home, "busy", epochs=2)
        (run.folder / "progress.json").write_text(
            '{"epoch": 3, "epochs": 4, "step": 5, "steps": 10, "images_per_second": 700,'
            ' "eta_seconds": 1}'
        )
        (run.folder / "train.log").write_text("epoch 2\n")
        app = open_page(PAGE)
        words = texts(app)
        for expected in ("Running", "52.0 %", "epoch 2", "512", "1 min"):
            assert expected in words
        bar = app.get("progress")[0].proto
        assert bar.value == 62
        # One and a half epochs of 30 s, validation included, whatever the batches alone say.
        assert "Epoch 3 of 4 · 700 images/s · at most 45\u00a0s left" in bar.text
        assert len(app.get("plotly_chart")) == 3

    def test_stop_asks_the_process(
        self, home: Home, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running(home, "busy", epochs=1)
        asked = []
        monkeypatch.setattr("pipeline.training.worker.stop", lambda run: asked.append(run.id))
        app = open_page(PAGE).button("train_stop").click().run()
        assert asked == ["busy"]
        # A second click would kill it.
        assert "train_stop" not in {button.key for button in app.button}

    def test_the_run_shown_stays_when_it_ends_and_another_begins(
        self, home: Home, open_page: OpenPage
    ) -> None:
        run = running(home, "busy", epochs=1)
        RunQueue(home).submit(make_run(home, "next", RunStatus.STOPPED))
        app = open_page(PAGE)
        assert app.selectbox("train_watched").value == "busy"
        write_state(run, replace(run.state, status=RunStatus.STOPPED))
        app = app.run()
        assert app.selectbox("train_watched").value == "busy"
        assert "train_resume" in {button.key for button in app.button}

    def test_a_dead_worker_has_failed_and_can_be_resumed(
        self, home: Home, open_page: OpenPage, texts: Texts, started: list[Run]
    ) -> None:
        run = make_run(home, "dead", RunStatus.RUNNING, epochs=2, pid=2**22 + 1)
        (run.folder / "train.log").write_text("its last words\n")
        app = open_page(PAGE)
        app = app.segmented_control("train_view").set_value("Watch").run()
        words = texts(app)
        assert "Failed" in words
        assert "killed or crashed" in words
        assert "its last words" in words
        app.button("train_resume").click().run()
        assert started == [run]

    def test_clone_fills_the_form(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset
    ) -> None:
        write_dataset("faces")
        write_dataset("others")
        make_run(home, "done", RunStatus.FINISHED, epochs=4)
        app = open_page(PAGE)
        app = app.segmented_control("train_view").set_value("Watch").run()
        app = app.button("train_clone").click().run()
        assert app.segmented_control("train_view").value == "New run"
        assert app.selectbox("train_dataset").value == "faces"
        assert group(app, "Optimisation").number_input("train_epochs").value == 4

    def test_address_names_the_run(self, home: Home, open_page: OpenPage) -> None:
        make_run(home, "first", RunStatus.FINISHED, epochs=4)
        make_run(home, "second", RunStatus.FINISHED, epochs=4)
        app = open_page()
        app.query_params["run"] = "first"
        app = app.switch_page(str(PROJECT_ROOT / PAGE)).run()
        assert app.selectbox("train_watched").value == "first"
        app.query_params["run"] = "gone"
        app = app.run()
        assert app.warning[0].value == "Not here any more: gone."
        assert app.selectbox("train_watched").value == "first"
        app = app.selectbox("train_watched").set_value("second").run()
        assert not app.warning
        shutil.rmtree(home.runs)
        app.query_params["run"] = "gone"
        assert app.run().warning[0].value == "Not here any more: gone."

    def test_promotion_serves_the_run(
        self, home: Home, open_page: OpenPage, texts: Texts, tmp_path: Path
    ) -> None:
        run = make_run(home, "good", RunStatus.FINISHED, epochs=4)
        other = make_run(home, "newer", RunStatus.FINISHED, epochs=4)
        for made in (run, other):
            shutil.copytree(make_model(tmp_path / made.id), made.folder, dirs_exist_ok=True)
        app = open_page(PAGE)
        app = app.segmented_control("train_view").set_value("Watch").run()
        app = app.selectbox("train_watched").set_value("good").run()
        app = app.button("train_promote").click().run()
        active = ModelCatalog(home).active()
        assert active is not None
        assert active.folder == run.folder
        assert "Active model" in texts(app)
        assert "train_promote" not in {button.key for button in app.button}

    def test_a_model_that_scores_otherwise_than_trained_is_refused(
        self, home: Home, open_page: OpenPage, tmp_path: Path
    ) -> None:
        run = make_run(home, "bad", RunStatus.FINISHED, epochs=4)
        shutil.copytree(make_model(tmp_path / "bad"), run.folder, dirs_exist_ok=True)
        other = make_run(home, "good", RunStatus.FINISHED, epochs=4)
        shutil.copytree(make_model(tmp_path / "good"), other.folder, dirs_exist_ok=True)
        write_network(run.folder / MODEL_ONNX, -bar_weights())
        app = open_page(PAGE)
        app = app.segmented_control("train_view").set_value("Watch").run()
        app = app.selectbox("train_watched").set_value("bad").run()
        app = app.button("train_promote").click().run()
        assert app.error
        active = resources.models().active()
        assert active is not None
        assert active.name == "good"
