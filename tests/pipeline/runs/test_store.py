import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from pipeline.errors import AmbiguousRunError, RunNotFoundError, RunStateError
from pipeline.files import write_json
from pipeline.runs import RunStatus, RunStore, process_is_alive, write_history, write_state
from pipeline.runs.locks import locked


def test_new_run_is_queued_and_listed_first(store: RunStore) -> None:
    first = store.create({"architecture": "seed_cnn"})
    second = store.create({"architecture": "vgg"}, name="mine")
    assert [run.id for run in store.list()] == ["mine", first.id]
    assert second.state.status is RunStatus.QUEUED
    assert second.config == {"architecture": "vgg"}


def test_two_runs_in_one_second_get_two_names(store: RunStore) -> None:
    names = {store.create({"architecture": "vgg"}).id for _ in range(3)}
    assert len(names) == 3


def test_a_name_is_used_once(store: RunStore) -> None:
    store.create({}, name="mine")
    with pytest.raises(RunStateError, match="exists already"):
        store.create({}, name="mine")


@pytest.mark.parametrize("name", ["../x", "A b", "", ".hidden"])
def test_unsafe_name_is_refused(store: RunStore, name: str) -> None:
    with pytest.raises(RunStateError, match="cannot name a run"):
        store.create({}, name=name or ".")


def test_of_many_runs_a_message_names_a_few_and_says_how_many_more(store: RunStore) -> None:
    for number in range(7):
        store.create({}, name=f"vgg-{number}")
    with pytest.raises(
        RunNotFoundError, match=r"\(there: vgg-6, vgg-5, vgg-4, vgg-3, vgg-2 and 2 more\)"
    ):
        store.get("resnet")
    with pytest.raises(RunNotFoundError, match=r"7 runs: vgg-6, .* and 2 more$"):
        store.get("vgg")


def test_unique_prefix_finds_the_run(store: RunStore) -> None:
    store.create({}, name="vgg-1")
    store.create({}, name="vgg-2")
    assert store.get("vgg-1").id == "vgg-1"
    with pytest.raises(AmbiguousRunError, match="beginning of 2 runs: vgg-2, vgg-1"):
        store.get("vgg")
    with pytest.raises(RunNotFoundError, match="no run 'resnet'"):
        store.get("resnet")


def test_torn_history_line_is_left_out(store: RunStore) -> None:
    run = store.create({})
    write_history(run, [{"epoch": 1, "is_best": True}, {"epoch": 2, "is_best": False}])
    with (run.folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 3, "lo')
    assert [entry["epoch"] for entry in run.history] == [1, 2]
    assert run.best == {"epoch": 1, "is_best": True}


def test_run_of_a_dead_process_is_failed(store: RunStore) -> None:
    run = store.create({})
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started = psutil.Process(child.pid).create_time()
    write_state(
        run,
        replace(run.state, status=RunStatus.RUNNING, pid=child.pid, process_started=started),
    )
    assert run.state.status is RunStatus.RUNNING
    with pytest.raises(RunStateError, match="still running"):
        store.delete(run.id)
    child.kill()
    # Not waited for yet: a zombie, which must not count as alive.
    psutil.wait_procs([], timeout=0)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert run.state.status is RunStatus.FAILED
    assert "resuming it continues" in run.state.reason
    child.wait()
    store.delete(run.id)
    assert store.list() == []


def test_reused_process_id_is_another_process() -> None:
    started = psutil.Process().create_time()
    assert process_is_alive(os.getpid(), started)
    assert not process_is_alive(os.getpid(), started - 100)


@pytest.mark.parametrize("content", ["{", "{}", '{"status": "odd"}', "[]", ""])
def test_damaged_status_hides_no_other_run(store: RunStore, content: str) -> None:
    damaged, sound = store.create({}), store.create({})
    (damaged.folder / "status.json").write_text(content)
    assert [run.id for run in store.list()] == [sound.id, damaged.id]
    assert damaged.state.status is RunStatus.FAILED
    assert "damaged" in damaged.state.reason


def test_damaged_file_is_named(store: RunStore) -> None:
    run = store.create({})
    (run.folder / "config.json").write_text("{")
    with pytest.raises(RunStateError, match=r"config\.json is damaged"):
        _ = run.config


def test_half_made_run_is_not_there(store: RunStore) -> None:
    with pytest.raises(TypeError):
        store.create({"epochs": object()}, name="mine")
    assert store.list() == []
    assert store.create({}, name="mine").id == "mine"


def test_deleted_run_comes_back_as_it_was(store: RunStore) -> None:
    run = store.create({"architecture": "vgg"}, name="mine")
    write_history(run, [{"epoch": 1}])
    item = store.delete("mine")
    assert store.list() == []
    assert store.trash.list() == [item]
    assert store.restore(item.token) == run
    assert run.history == [{"epoch": 1}]
    assert store.trash.list() == []
    with pytest.raises(RunNotFoundError, match="not in the trash"):
        store.restore(item.token)


def test_restored_run_whose_id_is_taken_gets_another(store: RunStore) -> None:
    store.create({"epochs": 1}, name="mine")
    item = store.delete("mine")
    store.create({"epochs": 2}, name="mine")
    assert store.restore(item.token).id == "mine-2"
    assert [store.get(name).config["epochs"] for name in ("mine-2", "mine")] == [1, 2]


def test_no_run_has_the_name_of_another_model(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "shipped")
    item = (store.create({}, name="pair"), store.delete("pair"))[1]
    for folder in (tmp_path / "ensembles" / "pair", tmp_path / "shipped" / "best"):
        folder.mkdir(parents=True)
        with pytest.raises(RunStateError, match=f"named '{folder.name}' exists already"):
            store.create({}, name=folder.name)
    assert store.restore(item.token).id == "pair-2"


def test_lock_does_not_bring_a_deleted_run_back(store: RunStore) -> None:
    run = store.create({}, name="mine")
    item = store.delete("mine")
    with pytest.raises(RunNotFoundError), locked(run.folder, ".lock", timeout=0):
        pass
    assert not run.folder.exists()
    assert store.restore(item.token) == run


def test_lock_undoes_the_folder_that_it_made(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create({}, name="mine")
    acquire = FileLock.acquire

    def deleted_first(self: FileLock, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(FileLock, "acquire", acquire)
        store.delete("mine")
        return acquire(self, *args, **kwargs)

    monkeypatch.setattr(FileLock, "acquire", deleted_first)
    with pytest.raises(RunNotFoundError), locked(run.folder, ".start.lock", timeout=0):
        pass
    assert not run.folder.exists()


def test_of_two_deleted_with_one_id_the_last_is_meant(store: RunStore) -> None:
    for epochs in (1, 2):
        store.create({"epochs": epochs}, name="mine")
        store.delete("mine")
    assert store.restore("mine").config == {"epochs": 2}
    assert store.restore("mine").id == "mine-2"


def test_emptied_trash_is_empty(store: RunStore) -> None:
    for name in "ab":
        store.create({}, name=name)
        store.delete(name)
    (store.root / ".trash" / "notes.txt").write_text("not ours")
    assert store.trash.discard() == 2
    assert store.trash.list() == []


def test_run_that_a_process_holds_is_not_deleted(store: RunStore) -> None:
    run = store.create({}, name="mine")
    with FileLock(run.folder / ".lock"), pytest.raises(RunStateError, match="still running"):
        store.delete("mine")


def test_run_whose_process_just_starts_is_not_deleted(store: RunStore) -> None:
    run = store.create({}, name="mine")
    started = psutil.Process().create_time()
    write_json(run.folder / "started.json", {"pid": os.getpid(), "process_started": started})
    assert run.is_starting
    with pytest.raises(RunStateError, match="still running"):
        store.delete("mine")
