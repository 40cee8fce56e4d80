import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.home import Home
from pipeline.runs import Run, RunStore
from pipeline.training.queue import QueueState, RunQueue

Command = Callable[..., int]
CONFIG = {"architecture": "vgg", "dataset": "bars", "epochs": 4}


@pytest.fixture
def store(home: Home) -> RunStore:
    store = RunStore(home.runs)
    for name in ("first", "second", "third"):
        store.create(CONFIG, name=name)
    return store


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were started; the process that trains them is the one that never dies."""
    ids: list[str] = []

    def spawn(run: Run, home: Home) -> int:
        ids.append(run.id)
        return 1

    monkeypatch.setattr("pipeline.training.worker.spawn", spawn)
    return ids


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_notes_show_and_archived_runs_do_not(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    edits = ("--title", "The best", "--tag", "Paper", "--tag", "x", "--note", "see page 3")
    assert command("runs", "edit", "first", *edits) == 0
    assert "│ paper, x " in capsys.readouterr().out
    assert command("runs", "edit", "first", "--untag", "x") == 0
    assert command("runs", "edit", "second", "--archive") == 0
    capsys.readouterr()
    command("runs", "list", "--json")
    rows = said(capsys)
    assert [row["run"] for row in rows] == ["third", "first"]
    assert (rows[1]["title"], rows[1]["tags"], rows[1]["status"]) == ("The best", "paper", "new")
    command("runs", "list", "--all", "--tag", "paper", "--json")
    assert [row["run"] for row in said(capsys)] == ["first"]
    command("runs", "show", "first", "--json")
    assert said(capsys)["note"] == "see page 3"


def test_compared_epochs_are_those_done_and_those_planned(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.create({**CONFIG, "epochs": 9, "flip": False}, name="longer")
    assert command("runs", "compare", "first", "longer", "--json") == 0
    assert [(row["epochs"], row["flip"]) for row in said(capsys)] == [
        ("0/4", None),
        ("0/9", False),
    ]


def test_queue_is_listed_and_changed(
    command: Command,
    store: RunStore,
    started: list[str],
    home: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("first", "second", "third"):
        assert command("runs", "queue", "add", name) == 0
    assert "third waits at place 2" in capsys.readouterr().out
    assert command("runs", "queue", "move", "third", "1") == 0
    assert started == ["first"]
    capsys.readouterr()
    command("runs", "list", "--json")
    assert [row["status"] for row in said(capsys)] == ["queued (1)", "queued (2)", "new"]
    assert command("runs", "queue", "remove", "second") == 0
    assert command("runs", "queue", "slots", "2") == 0
    assert started == ["first", "third"]
    assert RunQueue(home).state == QueueState((), 2)
    assert command("runs", "queue", "remove", "nobody") == 1


def test_looking_at_the_queue_starts_what_a_killed_process_could_not(
    command: Command,
    store: RunStore,
    started: list[str],
    home: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (home.runs / "queue.json").write_text('{"waiting": ["second", "third"], "slots": 1}')
    assert command("runs", "queue", "--json") == 0
    assert said(capsys) == {"slots": 1, "waiting": ["third"], "started": ["second"]}


def test_damaged_run_hides_no_other(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.get("second").folder / "config.json").write_text("{")
    assert command("runs", "list", "--json") == 0
    shown = capsys.readouterr()
    assert [row["run"] for row in json.loads(shown.out)] == ["third", "first"]
    assert "config.json is damaged" in shown.err


def test_delete_and_restore(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("runs", "delete", "first", "--yes") == 0
    assert "Deleted first" in capsys.readouterr().out
    assert command("runs", "trash", "--json") == 0
    assert [row["run"] for row in said(capsys)] == ["first"]
    assert command("runs", "restore", "first") == 0
    assert store.get("first").config == CONFIG
    assert command("runs", "delete", "first", "--yes") == 0
    assert command("runs", "trash", "--empty", "--yes") == 0
    assert command("runs", "restore", "first") == 1
    assert "not in the trash" in capsys.readouterr().err


def test_export_and_import(
    command: Command, store: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.zip"
    assert command("runs", "export", "first", str(file)) == 0
    capsys.readouterr()
    assert command("runs", "import", str(file), "--json") == 0
    assert said(capsys) == [{"run": "first-2"}]
    assert store.get("first-2").config == CONFIG
    both = tmp_path / "both.zip"
    assert command("runs", "export", "second", "third", "second", str(both)) == 0
    capsys.readouterr()
    assert command("runs", "import", str(both)) == 0
    assert "Imported second-2, third-2." in capsys.readouterr().out
    file.write_bytes(file.read_bytes()[:-40])
    assert command("runs", "import", str(file)) == 1
    assert "not a sound zip file" in capsys.readouterr().err
    assert command("runs", "export", "first", str(tmp_path / "nowhere" / "run.zip")) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_train_queues(
    command: Command,
    store: RunStore,
    started: list[str],
    home: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, place in (("first", 0), ("second", 1)):
        assert command("train", "--resume", name, "--queue", "--json") == 0
        assert said(capsys) == {"run": name, "place": place}
    assert RunQueue(home).state.waiting == ("second",)


def test_brackets_in_a_title_are_shown_as_they_are(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("runs", "edit", "first", "--title", "old [/aug] [v2]") == 0
    capsys.readouterr()
    assert command("runs", "list") == 0
    assert command("runs", "show", "first") == 0
    shown = capsys.readouterr().out
    assert shown.count("[/aug]") == 2
    assert shown.count("[v2]") == 2


def test_results_are_on_standard_output_and_notes_are_not(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.get("second").folder / "config.json").write_text("{")
    assert command("runs", "list") == 0
    shown = capsys.readouterr()
    assert "first" in shown.out
    assert "warning" not in shown.out
    assert "first" not in shown.err
    assert "warning: run second" in shown.err


def test_an_empty_list_says_why(
    command: Command, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("runs", "list", "--tag", "nope") == 0
    told = "No run is tagged nope; archived ones are listed with --all.\n"
    assert capsys.readouterr().err == told
    assert command("runs", "list", "--all", "--tag", "nope") == 0
    assert capsys.readouterr().err == "No run is tagged nope.\n"
    for run in store.list():
        assert command("runs", "edit", run.id, "--archive") == 0
    capsys.readouterr()
    assert command("runs", "list") == 0
    assert "archived ones are listed with --all" in capsys.readouterr().err
    for run in store.list():
        store.delete(run.id)
    assert command("runs", "list", "--tag", "nope") == 0
    assert "No runs yet" in capsys.readouterr().err
