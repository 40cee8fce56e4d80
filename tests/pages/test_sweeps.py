import os
from collections.abc import Callable
from typing import Any

import optuna
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app.training import costs
from pipeline.dataset import Dataset
from pipeline.files import write_json
from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import RunStore
from pipeline.training import arithmetic
from pipeline.training.config import TrainingConfig
from pipeline.training.estimate import Estimate
from pipeline.training.presets import PRESETS
from pipeline.training.sweep import Sweep, SweepDefinition, SweepField, SweepStore

PAGE = "pages/sweeps.py"
RATE = SweepField("learning_rate", 1e-4, 1e-1, log=True)
NOBODY = 2**22 + 1
"""Beyond any process."""

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
WriteDataset = Callable[..., Dataset]
FinishJobs = Callable[[AppTest], AppTest]


@pytest.fixture(autouse=True)
def started(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sweeps for which the page has started workers; no process is."""
    monkeypatch.delenv("FERLAB_SWEEPS", raising=False)
    names: list[str] = []
    monkeypatch.setattr(
        "pipeline.training.sweep.processes.start",
        lambda store, sweep, home: names.append(sweep),
    )
    return names


@pytest.fixture
def make_sweep(home: Home) -> Callable[..., Sweep]:
    def make(name: str, values: tuple[float, ...] = (), **changes: Any) -> Sweep:
        options: dict[str, Any] = {"fields": (RATE,), "num_trials": 5, **changes}
        definition = SweepDefinition(TrainingConfig(), "faces", "ab", False, **options)
        sweep = SweepStore.of(home).create(name, definition, RunStore(home.runs))
        for number, value in enumerate(values):
            sweep.study().add_trial(
                optuna.create_trial(
                    params={"learning_rate": 1e-3 * (number + 1)},
                    distributions={
                        "learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-1)
                    },
                    value=value,
                    intermediate_values={1: value / 2, 2: value},
                )
            )
        return sweep

    return make


def add_worker(home: Home, sweep: str, pid: int) -> None:
    process = {"pid": pid, "process_started": psutil.Process().create_time()}
    folder = home.sweeps / "workers" / sweep
    write_json(folder / f"{pid}.json", {"sweep": sweep, "process": process, "log": "a.log"})
    (folder / "a.log").write_text("its last words\n")


class TestForm:
    def test_without_a_dataset_it_says_what_to_do(self, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        assert "No dataset yet" in texts(app)
        assert [button.key for button in app.button] == ["sweep_no_dataset_demo"]

    def test_starts_what_it_says(
        self, home: Home, open_page: OpenPage, write_dataset: WriteDataset, started: list[str]
    ) -> None:
        dataset = write_dataset("faces")
        app = open_page(PAGE)
        app.selectbox("sweep_base").set_value("preset best_cpu").run()
        app.multiselect("sweep_fields").set_value(["learning_rate", "architecture"]).run()
        app.number_input("sweep_learning_rate_low").set_value(0.01).run()
        app.number_input("sweep_trials").set_value(7).run()
        app.number_input("sweep_epochs_preset best_cpu").set_value(9).run()
        app.selectbox("sweep_metric").set_value("val_macro_f1").run()
        app.number_input("sweep_workers").set_value(2).run()
        app = app.button("sweep_start").click().run()
        assert not app.error
        assert started == ["sweep-1", "sweep-1"]
        definition = SweepStore.of(home).get("sweep-1").definition
        best_cpu = next(preset.config for preset in PRESETS if preset.name == "best_cpu")
        assert definition.base.to_dict() == {**best_cpu.to_dict(), "epochs": 9}
        assert definition.fields == (
            SweepField("learning_rate", 0.01, 0.1, log=True),
            SweepField.sensible("architecture"),
        )
        assert (definition.metric, definition.num_trials) == ("val_macro_f1", 7)
        assert definition.fingerprint == dataset.meta.fingerprint
        # And there it is, to be watched.
        assert app.selectbox("sweep_watched").value == "sweep-1"

    def test_arithmetic_that_the_processor_lacks_is_told_and_can_be_left(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(arithmetic, "has_bfloat16", lambda: False)
        write_dataset("faces")
        app = open_page(PAGE)
        assert not app.warning
        app.selectbox("sweep_base").set_value("preset best_cpu").run()
        assert "several times as fast" in app.warning[0].value
        app.toggle("sweep_float32_preset best_cpu").set_value(True).run()
        assert not app.warning
        app.button("sweep_start").click().run()
        assert SweepStore.of(home).get("sweep-1").definition.base.precision == "float32"

    def test_what_cannot_be_searched_cannot_be_started(
        self, open_page: OpenPage, write_dataset: WriteDataset, texts: Texts
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        app.number_input("sweep_dropout_low").set_value(0.8)
        app = app.run()
        # Said once, where it can be mended; the card tells where that is.
        assert [error.value.replace("\\", "") for error in app.error] == [
            "“Dropout” must go from a smaller to a larger number in [0, 0.9], got 0.8 to 0.7."
        ]
        assert "First mend the range of “Dropout”" in texts(app)
        assert app.button("sweep_start").disabled
        app = app.multiselect("sweep_fields").set_value([]).run()
        assert app.error[0].value.startswith("A search needs at least one setting")
        assert app.button("sweep_start").disabled

    def test_says_how_long_it_can_take_once_measured(
        self,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        finish_jobs: FinishJobs,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write_dataset("faces")
        measured = []

        def measure(config: TrainingConfig, *_: object) -> Estimate:
            measured.append(config)
            return Estimate(43_015, 1_530_080, 90.0, 2813.0, 835.0)

        monkeypatch.setattr(costs, "estimate", measure)
        app = open_page(PAGE)
        app.selectbox("sweep_base").set_value("preset best_cpu").run()
        app = app.number_input("sweep_trials").set_value(40).run()
        assert "At most 2,000 epochs in all" in texts(app)
        app = finish_jobs(app.button("sweep_measure").click().run())
        assert "At most 50 h 00 min in all, for 2,000 epochs" in texts(app)
        # The dataset has no votes, so what would be learned of them is not measured.
        assert [config.soft_labels for config in measured] == [0.0]
        app = app.number_input("sweep_trials").set_value(2).run()
        assert "At most 2 h 30 min in all" in texts(app)

    def test_a_setting_without_effect_is_told(
        self, open_page: OpenPage, write_dataset: WriteDataset, texts: Texts
    ) -> None:
        write_dataset("faces")
        app = open_page(PAGE)
        app = app.multiselect("sweep_fields").set_value(["attention"]).run()
        assert "Would not be used" in texts(app)
        app = app.multiselect("sweep_fields").set_value(["attention", "architecture"]).run()
        assert "Would not be used" not in texts(app)

    def test_the_name_of_a_deleted_sweep_whose_runs_stay_is_not_given_again(
        self,
        home: Home,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        started: list[str],
    ) -> None:
        write_dataset("faces")
        RunStore(home.runs).create({}, name="sweep-1-t000")
        app = open_page(PAGE)
        assert app.text_input("sweep_name").placeholder == "sweep-2"
        app.text_input("sweep_name").set_value("sweep-1").run()
        app = app.button("sweep_start").click().run()
        assert "Runs of an earlier sweep 'sweep-1' are still here" in app.error[0].value
        assert not started
        app.text_input("sweep_name").set_value("").run()
        app.button("sweep_start").click().run()
        assert started == ["sweep-2"]

    def test_a_name_that_is_taken_is_one_line(
        self,
        open_page: OpenPage,
        write_dataset: WriteDataset,
        make_sweep: Callable[..., Sweep],
        started: list[str],
    ) -> None:
        write_dataset("faces")
        make_sweep("mine")
        app = open_page(PAGE)
        app = app.segmented_control("sweep_view").set_value("New sweep").run()
        app.text_input("sweep_name").set_value("mine").run()
        app = app.button("sweep_start").click().run()
        assert "exists already" in app.error[0].value
        assert not started


class TestWatch:
    def test_shows_what_was_found(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        make_sweep("found", (0.3, 0.6, 0.5, 0.4))
        config = {**TrainingConfig().to_dict(), "dataset": "faces", "dataset_fingerprint": "ab"}
        RunStore(home.runs).create(config, name="found-t001")
        app = open_page(PAGE)
        words = texts(app)
        for expected in ("No worker", "60.0 %", "4 / 5", "Trial 1, the best"):
            assert expected in words
        assert app.get("progress")[0].proto.text == "4 of 5 trials"
        table = app.dataframe[0].value
        assert list(table["state"]) == ["✓ Finished", "★ Best", "✓ Finished", "✓ Finished"]
        assert list(table["value"]) == [30, 60, 50, 40]
        assert list(table["learning_rate"]) == ["0.001", "0.002", "0.003", "0.004"]
        # History, curves, importance, one slice, all settings.
        assert len(app.get("plotly_chart")) == 5
        app = app.button("sweep_trial_watch").click().run()
        assert app.selectbox("train_watched").value == "found-t001"
        app = open_page(PAGE).button("sweep_runs").click().run()
        assert app.title[0].value == "Runs"
        assert app.text_input("runs_find").value == "found-t"

    def test_shares_are_not_those_of_a_deleted_sweep_of_the_same_name(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        make_sweep("again", (0.5, 0.5, 0.5, 0.5))
        nothing = "Which settings matter is told once four trials have finished."
        assert nothing in texts(open_page(PAGE))
        SweepStore.of(home).delete("again")
        make_sweep("again", (0.3, 0.6, 0.5, 0.4))
        assert nothing not in texts(open_page(PAGE))

    def test_a_study_of_another_program_is_told_and_not_shown(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep]
    ) -> None:
        make_sweep("mine")
        optuna.create_study(storage=SweepStore.of(home).url, study_name="strange")
        app = open_page(PAGE)
        assert not app.error
        assert "Study 'strange' has no usable definition" in app.warning[0].value
        assert app.selectbox("sweep_watched").options == ["mine"]

    def test_a_new_one_says_what_to_do(
        self,
        open_page: OpenPage,
        make_sweep: Callable[..., Sweep],
        texts: Texts,
        started: list[str],
    ) -> None:
        make_sweep("new")
        app = open_page(PAGE)
        assert "No trial yet" in texts(app)
        app.button("sweep_add").click().run()
        assert started == ["new"]

    @pytest.mark.filterwarnings("ignore:Heartbeat of storage")
    def test_the_first_trial_shows_its_curve_before_it_ends(
        self, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        trial = make_sweep("begun").study().ask()
        trial.suggest_float("learning_rate", 1e-4, 1e-1)
        trial.report(0.4, 1)
        app = open_page(PAGE)
        words = texts(app)
        assert "No trial has ended yet" in words
        assert app.get("progress")[0].proto.text == "0 of 5 trials · 1 running"
        assert len(app.get("plotly_chart")) == 1

    def test_stop_asks_each_worker_once(
        self,
        home: Home,
        open_page: OpenPage,
        make_sweep: Callable[..., Sweep],
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        make_sweep("busy", (0.3,))
        add_worker(home, "busy", os.getpid())
        killed: list[int] = []
        monkeypatch.setattr(
            "pipeline.training.sweep.processes.os.kill", lambda pid, number: killed.append(pid)
        )
        app = open_page(PAGE)
        assert "Working" in texts(app)
        assert "sweep_delete" not in {button.key for button in app.button}
        app = app.button("sweep_stop").click().run()
        assert killed == [os.getpid()]
        # A second signal would kill it.
        assert "Stopping" in texts(app)
        assert "sweep_stop" not in {button.key for button in app.button}

    def test_a_dead_worker_is_told_with_its_last_words(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        make_sweep("busy", (0.3,))
        add_worker(home, "busy", NOBODY)
        words = texts(open_page(PAGE))
        assert f"Worker {NOBODY} ended before its work did" in words
        assert "its last words" in words

    def test_more_trials(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        sweep = make_sweep("done", (0.3,), num_trials=1)
        app = open_page(PAGE)
        assert "Done" in texts(app)
        assert "sweep_add" not in {button.key for button in app.button}
        app.number_input("sweep_more").set_value(4).run()
        app = app.button("sweep_extend").click().run()
        assert sweep.definition.num_trials == 5
        assert "sweep_add" in {button.key for button in app.button}

    def test_deleting_asks_and_leaves_the_runs(
        self, home: Home, open_page: OpenPage, make_sweep: Callable[..., Sweep], texts: Texts
    ) -> None:
        make_sweep("old", (0.3,))
        RunStore(home.runs).create({}, name="old-t000")
        app = open_page(PAGE)
        app = app.button("sweep_delete").click().run()
        assert SweepStore.of(home).names() == ["old"]
        app = app.button("sweep_delete_confirmed").click().run()
        assert SweepStore.of(home).names() == []
        assert [run.id for run in RunStore(home.runs).list()] == ["old-t000"]
        assert "No dataset yet" in texts(app)

    def test_address_names_the_sweep(
        self, open_page: OpenPage, make_sweep: Callable[..., Sweep]
    ) -> None:
        make_sweep("first")
        make_sweep("second")
        assert open_page(PAGE).selectbox("sweep_watched").value == "second"
        app = open_page()
        app.query_params["sweep"] = "first"
        app = app.switch_page(str(PROJECT_ROOT / PAGE)).run()
        assert app.selectbox("sweep_watched").value == "first"
        app.query_params["sweep"] = "old_one"
        app = app.run()
        assert app.warning[0].value == r"Not here any more: old\_one."
        assert app.selectbox("sweep_watched").value == "second"
        app = app.selectbox("sweep_watched").set_value("first").run()
        assert not app.warning
        # Who deletes it here is not told so afterwards.
        app = app.button("sweep_delete").click().run()
        app = app.button("sweep_delete_confirmed").click().run()
        assert not app.warning
        assert app.selectbox("sweep_watched").value == "second"

    def test_address_of_a_sweep_where_there_is_none(self, open_page: OpenPage) -> None:
        app = open_page()
        app.query_params["sweep"] = "gone"
        app = app.switch_page(str(PROJECT_ROOT / PAGE)).run()
        assert app.warning[0].value == "Not here any more: gone."
