import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.recognition import change_settings, load_settings
from app.training import shelf
from app.training.launch import Phase
from app.training.transfer import _packed, import_work
from app.training.words import with_sign
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import MODEL_ONNX
from pipeline.runs import (
    Run,
    RunNotes,
    RunStatus,
    RunStore,
    edit_notes,
    write_history,
    write_state,
)
from pipeline.training.config import TrainingConfig
from pipeline.training.queue import RunQueue
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


def choose(app: AppTest, *runs: str) -> AppTest:
    return app.multiselect("runs_chosen").set_value(list(runs)).run()


def listed(app: AppTest) -> list[str]:
    assert not app.exception, app.exception[0].message
    return list(app.dataframe[0].value["run"]) if app.dataframe else []


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


def test_every_status_fits_its_column(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    make_run("first")
    columns = json.loads(open_page(PAGE).dataframe[0].proto.columns)
    longest = max(map(len, map(with_sign, Phase)))
    assert columns["status"]["width"] >= 7 * longest  # pixels


def test_long_names_leave_the_scores_in_view(
    open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    edit_notes(make_run("a" * 60).folder, title="t" * 80)
    frame = open_page(PAGE).dataframe[0].proto
    columns = json.loads(frame.columns)
    order = list(frame.column_order)
    before = order[: order.index("val_accuracy")]
    # The page's table has some 800 pixels on a screen of 1280.
    assert sum(columns[name]["width"] for name in before) < 550


def test_filter_by_status(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    make_run("first")
    make_run("stopped", RunStatus.STOPPED)
    app = open_page(PAGE)
    app = app.get("button_group")[0].set_value(["stopped"]).run()
    assert list(app.dataframe[0].value["run"]) == ["stopped"]


def test_every_status_can_be_filtered_by() -> None:
    assert {phase for taken_in in shelf._FILTERS.values() for phase in taken_in} == set(Phase)


def test_a_deletion_can_be_taken_back(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run], texts: Texts
) -> None:
    for name in ("first", "second", "third"):
        make_run(name)
    app = choose(open_page(PAGE), "first", "third")
    app = app.button("runs_delete").click().run()
    assert listed(app) == ["second"]
    assert app.multiselect("runs_chosen").value == []
    assert "Deleted first, third." in app.info[0].value
    app = app.button("runs_undo_delete").click().run()
    assert listed(app) == ["third", "second", "first"]
    assert not app.info


def test_the_active_run_is_marked_and_its_deletion_names_its_successor(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    for name in ("first", "second"):
        make_run(name, model=True)
    app = open_page(PAGE)
    assert list(app.dataframe[0].value["model"]) == ["● Active", ""]
    app = choose(app, "second").button("runs_delete").click().run()
    assert app.info[0].value == "Deleted second. The active model was second; now it is first."
    assert list(app.dataframe[0].value["model"]) == ["● Active"]
    app = app.button("runs_undo_delete").click().run()
    assert list(app.dataframe[0].value["model"]) == ["● Active", ""]
    # Which other one is deleted makes no difference to the model.
    app = choose(app, "first").button("runs_delete").click().run()
    assert app.info[0].value == "Deleted first."
    app = choose(app, "second").button("runs_delete").click().run()
    assert app.info[0].value == "Deleted second. The active model was second; now there is none."


def test_trash_gives_back_until_it_is_emptied(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    for name in ("first", "second"):
        make_run(name)
    app = choose(open_page(PAGE), "first", "second").button("runs_delete").click().run()
    assert not app.dataframe
    items = {item.run.id: item for item in RunStore(home.runs).trash.list()}
    # Another tab, or tomorrow: nothing to undo, but the trash.
    app = open_page(PAGE)
    assert not app.info
    app = app.button(f"trash_restore_{items['first'].token}").click().run()
    assert listed(app) == ["first"]
    app = app.button("trash_empty").click().run()
    assert len(RunStore(home.runs).trash.list()) == 1
    app = app.button("trash_discard_confirmed").click().run()
    assert RunStore(home.runs).trash.list() == []
    assert listed(app) == ["first"]


def test_title_tags_and_note(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    run = make_run("first")
    edit_notes(make_run("second").folder, tags=["paper"])
    app = choose(open_page(PAGE), "first").button("runs_edit").click().run()
    app.text_input("runs_edit_title").set_value("The good one")
    app.multiselect("runs_edit_tags").set_value(["paper"])
    app.text_area("runs_edit_note").set_value("see page 3")
    # Meanwhile another tab does something else to it.
    edit_notes(run.folder, archived=True)
    app = app.button("runs_edit_save").click().run()
    assert run.notes == RunNotes("The good one", ("paper",), "see page 3", archived=True)
    assert listed(app) == ["second"]
    app = app.toggle("runs_archived").set_value(True).run()
    row = app.dataframe[0].value.set_index("run").loc["first"]
    assert (row["title"], row["note"], row["archived"]) == (
        "The good one",
        "see page 3",
        "Archived",
    )


def test_what_another_tab_wrote_meanwhile_is_kept_and_told(
    open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    run = make_run("first")
    app = choose(open_page(PAGE), "first").button("runs_edit").click().run()
    app.text_input("runs_edit_title").set_value("mine")
    edit_notes(run.folder, title="theirs")
    app = app.button("runs_edit_save").click().run()
    assert "changed elsewhere meanwhile" in str(app.session_state["runs_edit_problem"])
    assert run.title == "theirs"


def test_archived_runs_are_put_away_and_back(
    open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    for name in ("first", "second"):
        make_run(name)
    app = choose(open_page(PAGE), "first").button("runs_archive").click().run()
    assert listed(app) == ["second"]
    app = app.toggle("runs_archived").set_value(True).run()
    assert listed(app) == ["second", "first"]
    assert app.button("runs_archive").label == "Unarchive"
    app = app.button("runs_archive").click().run()
    assert listed(app) == ["second", "first"]
    assert "runs_archived" not in {toggle.key for toggle in app.toggle}


def test_filter_by_tag(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    for name, tags in (("first", ["paper"]), ("second", ["paper", "wide"]), ("third", [])):
        edit_notes(make_run(name).folder, tags=tags)
    app = open_page(PAGE)
    pills = next(group for group in app.get("button_group") if group.label == "Tags")
    app = pills.set_value(["paper", "wide"]).run()
    assert listed(app) == ["second"]


def test_two_to_eight_can_be_compared(open_page: OpenPage, make_run: Callable[..., Run]) -> None:
    names = [f"run-{number}" for number in range(9)]
    for name in names:
        make_run(name)
    app = open_page(PAGE)
    for number, disabled in ((1, True), (2, False), (8, False), (9, True)):
        app = choose(app, *names[:number])
        assert app.button("runs_compare").disabled is disabled
        assert app.button("runs_watch").disabled is (number != 1)
    app = choose(app, "run-3", "run-1").button("runs_compare").click().run()
    assert app.query_params["runs"] == "run-3,run-1"


def test_a_run_in_line_can_be_deleted(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    started = psutil.Process().create_time()
    make_run("busy", RunStatus.RUNNING, pid=os.getpid(), process_started=started)
    RunQueue(home).submit(make_run("next", RunStatus.STOPPED))
    app = choose(open_page(PAGE), "next")
    assert app.dataframe[0].value.set_index("run").loc["next", "status"] == "◷ Queued"
    app = app.button("runs_delete").click().run()
    assert RunQueue(home).state.waiting == ()
    assert listed(app) == ["busy"]


def test_export_and_import(
    home: Home,
    open_page: OpenPage,
    make_run: Callable[..., Run],
    finish_jobs: Callable,
    texts: Texts,
) -> None:
    run = make_run("first", model=True)
    app = choose(open_page(PAGE), "first").button("runs_export").click().run()
    assert [button.label.split(" (")[0] for button in app.get("download_button")] == [
        "CSV",
        "Without checkpoints",
        "With checkpoints",
    ]
    second = make_run("second")
    app = choose(app, "first", "second").button("runs_export").click().run()
    assert "**2 runs**: settings" in texts(app)
    store = RunStore(home.runs)
    with _packed([run, second], checkpoints=True) as packed:
        packed.seek(0)
        resources.jobs().start("import", "Import", import_work(store, io.BytesIO(packed.read())))
    app = finish_jobs(app)
    assert "“first-2”, “second-2” are among the runs now" in app.success[0].value
    assert set(listed(app)) == {"first", "first-2", "second", "second-2"}
    assert store.get("first-2").has_model


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
        active = resources.models().active()
        assert active is not None
        assert active.name == name
        assert app.button("runs_promote").disabled
    # The other pages serve it without a restart.
    assert "first" in texts(open_page("pages/overview.py"))


def test_a_threshold_goes_with_the_model_that_it_was_set_for(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    make_run("first", model=True)
    make_run("second", model=True)
    ModelCatalog(home).activate("first")
    change_settings(home, unsure_below=0.9, smoothing=0.0)
    choose(open_page(PAGE), "second").button("runs_promote").click().run()
    assert load_settings(home).unsure_below is None
    assert load_settings(home).smoothing == 0


def test_evaluate_opens_the_page_on_the_chosen_model(
    open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    make_run("first", model=True)
    make_run("second", model=True)
    make_run("third")
    app = choose(open_page(PAGE), "third")
    assert app.button("runs_evaluate").disabled
    app = choose(app, "first").button("runs_evaluate").click().run()
    assert app.title[0].value == "Evaluate"
    assert app.selectbox("evaluation_model").value == "first"


def test_a_model_that_scores_otherwise_than_trained_is_refused(
    home: Home, open_page: OpenPage, make_run: Callable[..., Run]
) -> None:
    write_network(make_run("bad", model=True).folder / MODEL_ONNX, -bar_weights())
    make_run("good", model=True)
    app = choose(open_page(PAGE), "bad").button("runs_promote").click().run()
    assert len(app.error) == 1
    active = resources.models().active()
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
