import csv
import io
import json

import pytest

from app.training.launch import Phase
from app.training.records import Record, matching, record, to_csv
from pipeline.home import Home
from pipeline.runs import Run, RunState, RunStatus, RunStore, edit_notes, write_history, write_state
from pipeline.training.config import TrainingConfig


@pytest.fixture
def run(home: Home) -> Run:
    config = {**TrainingConfig(architecture="vgg", epochs=9).to_dict(), "dataset": "faces"}
    run = RunStore(home.runs).create(config, name="good")
    write_state(run, RunState(RunStatus.STOPPED, created=run.state.created, reason="on request"))
    epoch = {"val_macro_f1": 0.4, "seconds": 30.0}
    write_history(
        run,
        [
            {**epoch, "epoch": 1, "val_accuracy": 0.5, "is_best": True},
            {**epoch, "epoch": 2, "val_accuracy": 0.45, "is_best": False},
        ],
    )
    scores = {"test": {"accuracy": 0.6, "macro_f1": 0.55}}
    (run.folder / "evaluation.json").write_text(json.dumps(scores))
    edit_notes(run.folder, title="The good one", tags=["vgg", "old"], note="try again")
    return run


def test_tells_of_the_kept_epoch_and_the_test(run: Run) -> None:
    found = record(run)
    assert (found.run, found.phase, found.network) == ("good", Phase.STOPPED, "VGG")
    assert (found.epochs_done, found.epochs, found.seconds) == (2, 9, 60.0)
    assert (found.val_accuracy, found.val_macro_f1) == (0.5, 0.4)
    assert (found.test_accuracy, found.test_macro_f1) == (0.6, 0.55)
    assert found.parameters is None  # it has no model
    assert (found.reason, found.note, found.title) == ("on request", "try again", "The good one")


@pytest.mark.parametrize("name", ["config.json", "evaluation.json", "contract.json"])
def test_a_damaged_run_says_so(run: Run, name: str) -> None:
    (run.folder / name).write_text("[")
    found = record(run)
    assert found.phase is None
    assert found.reason.startswith("damaged: ")
    assert found.title == "The good one"


def test_filter_wants_all_words_and_one_of_the_phases() -> None:
    records = [
        Record("a", Phase.FINISHED, network="VGG", dataset="fer2013"),
        Record("b", Phase.FAILED, network="VGG", reason="out of memory", tags=("paper", "x")),
        Record("c", None, title="Best", note="see it again"),
        Record("d", Phase.FINISHED, network="VGG", archived=True),
    ]
    assert matching(records) == records[:3]
    assert matching(records, archived=True) == records
    assert [item.run for item in matching(records, tags=["paper", "x"])] == ["b"]
    assert matching(records, tags=["paper", "y"]) == []
    assert [item.run for item in matching(records, text="again BEST")] == ["c"]
    assert [item.run for item in matching(records, text="vgg FER")] == ["a"]
    assert [item.run for item in matching(records, text="memory")] == ["b"]
    assert [item.run for item in matching(records, phases=[Phase.FINISHED])] == ["a"]
    assert matching(records, text="b", phases=[Phase.FINISHED]) == []


def test_csv_has_every_setting_and_can_be_read_back(run: Run) -> None:
    damaged = Record("bad", None, reason='damaged: "x", y')
    rows = list(csv.DictReader(io.StringIO(to_csv([record(run), damaged]))))
    assert [row["run"] for row in rows] == ["good", "bad"]
    assert rows[0]["val_accuracy"] == "0.5"
    assert rows[0]["epochs"] == "9"
    assert rows[0]["learning_rate"] == "0.001"
    assert rows[1]["reason"] == 'damaged: "x", y'
    assert rows[0]["tags"] == "old, vgg"
    assert rows[1]["learning_rate"] == ""
    assert set(TrainingConfig().to_dict()) <= set(rows[0])


def test_csv_holds_no_formula(run: Run) -> None:
    edit_notes(run.folder, title='=HYPERLINK("http://x")', tags=["@paper"], note="-1+1")
    (row,) = csv.DictReader(io.StringIO(to_csv([record(run)])))
    assert (row["title"], row["tags"], row["note"]) == (
        *('\'=HYPERLINK("http://x")', "'@paper", "'-1+1"),
    )
    assert row["warmup_epochs"] == "0.0"


def test_csv_headings_are_distinct(run: Run) -> None:
    heading = to_csv([record(run)]).splitlines()[0].split(",")
    assert len(set(heading)) == len(heading)
