import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import MODEL_ONNX
from pipeline.runs import Run, RunStatus, RunStore, write_history, write_state
from pipeline.training.config import TrainingConfig
from tests.served_models import bar_weights, make_model, write_network

PAGE = "pages/runs.py"

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


@pytest.fixture
def make_run(home: Home, tmp_path: Path) -> Callable[..., Run]:
    def make(
        name: str, status: RunStatus = RunStatus.FINISHED, *, model: bool = False, **state: object
    ) -> Run:
        config = TrainingConfig(architecture="vgg", epochs=4).to_dict()
        run = RunStore(home.runs).create({**config, "dataset": "faces"}, name=name)
        write_state(run, replace(run.state, status=status, **state))
        entry = {"epoch": 1, "val_accuracy": 0.61, "val_macro_f1": 0.5, "seconds": 60.0}
        write_history(run, [{**entry, "is_best": True}])
        if model:
            shutil.copytree(make_model(tmp_path / name), run.folder, dirs_exist_ok=True)
        return run

    return make


def choose(app: AppTest, run: str) -> AppTest:
    return app.selectbox("runs_chosen").set_value(run).run()


def test_without_runs_it_says_where_they_come_from(open_page: OpenPage, texts: Texts) -> None:
    assert "No runs yet" in texts(open_page(PAGE))


def test_lists_every_run_a_damaged_one_too(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    make_run("first")
    (make_run("broken").folder / "config.json").write_text("{")
    app = open_page(PAGE)
    assert not app.exception
    table = app.dataframe[0].value.set_index("run")
    assert table.loc["first", "status"] == "✓ Finished"
    assert table.loc["first", "val_accuracy"] == 61.0
    assert table.loc["broken", "status"] == "✕ Damaged"
    app = app.text_input("runs_find").set_value("firs").run()
    assert list(app.dataframe[0].value["run"]) == ["first"]


def test_filter_by_status(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    make_run("first")
    make_run("stopped", RunStatus.STOPPED)
    app = open_page(PAGE)
    app = app.get("button_group")[0].set_value(["stopped"]).run()
    assert list(app.dataframe[0].value["run"]) == ["stopped"]


def test_delete_asks_first(home: Home, open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    make_run("first")
    make_run("second")
    app = choose(open_page(PAGE), "first")
    app = app.button("runs_delete").click().run()
    assert len(RunStore(home.runs).list()) == 2
    app = app.button("runs_delete_confirmed").click().run()
    assert [run.id for run in RunStore(home.runs).list()] == ["second"]
    assert not app.exception
    assert app.selectbox("runs_chosen").value is None


def test_a_running_run_cannot_be_deleted(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    started = psutil.Process().create_time()
    make_run("busy", RunStatus.RUNNING, pid=os.getpid(), process_started=started)
    app = choose(open_page(PAGE), "busy")
    assert app.button("runs_delete").disabled
    assert app.button("runs_promote").disabled
    assert not app.button("runs_watch").disabled


def test_promotion_there_and_back(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run], texts: Texts
) -> None:
    make_run("first", model=True)
    make_run("second", model=True)
    app = open_page(PAGE)
    for name in ("first", "second", "first"):
        app = choose(app, name).button("runs_promote").click().run()
        active = ModelCatalog(home).active()
        assert active is not None
        assert active.name == name
        assert app.button("runs_promote").disabled
    # The other pages serve it without a restart.
    assert "first" in texts(open_page("pages/overview.py"))


def test_a_model_that_scores_otherwise_than_trained_is_refused(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    write_network(make_run("bad", model=True).folder / MODEL_ONNX, -bar_weights())
    make_run("good", model=True)
    app = choose(open_page(PAGE), "bad").button("runs_promote").click().run()
    assert len(app.error) == 1
    active = ModelCatalog(home).active()
    assert active is not None
    assert active.name == "good"


def test_watch_and_clone_open_the_training_page(
    open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    make_run("first")
    make_run("second")
    app = choose(open_page(PAGE), "first").button("runs_watch").click().run()
    assert app.title[0].value == "Train"
    assert app.selectbox("train_watched").value == "first"
    app = choose(open_page(PAGE), "second").button("runs_clone").click().run()
    assert app.title[0].value == "Train"
    assert app.segmented_control("train_view").value == "New run"
