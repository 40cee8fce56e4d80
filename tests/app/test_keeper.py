import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from app.keeper import Keeper
from pipeline.home import Home
from pipeline.runs import KEPT_FOR, Run, RunStore
from pipeline.training.queue import RunQueue

NOBODY = 2**22 + 1
"""Beyond any process."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were started; no process is, and so each makes room at once."""
    ids: list[str] = []

    def spawn(run: Run, home: Home) -> int:
        ids.append(run.id)
        return NOBODY

    monkeypatch.setattr("pipeline.training.worker.spawn", spawn)
    return ids


@pytest.fixture
def keeper(home: Home) -> Iterator[Keeper]:
    keeper = Keeper(home, every=0.01)
    yield keeper
    keeper.close()


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_starts_what_a_killed_process_could_not(
    home: Home, started: list[str], keeper: Keeper
) -> None:
    store = RunStore(home.runs)
    (home.runs).mkdir()
    for name in "abc":
        store.create({}, name=name)
    (home.runs / "queue.json").write_text('{"waiting": ["a", "b", "c"], "slots": 1}')
    keeper.start()
    wait_for(lambda: not RunQueue(home).state.waiting)
    assert started == ["a", "b", "c"]


def test_trouble_is_told_once_and_survived(
    home: Home,
    started: list[str],
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = []

    def fail(queue: RunQueue) -> None:
        looks.append(1)
        raise OSError("no disk")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(RunQueue, "advance", fail)
        keeper.start()
        wait_for(lambda: len(looks) > 3)
    assert [record.message for record in caplog.records].count(
        "looking after the runs failed: no disk"
    ) == 1
    RunStore(home.runs).create({}, name="a")
    (home.runs / "queue.json").write_text('{"waiting": ["a"], "slots": 1}')
    wait_for(lambda: started == ["a"])


def test_cleans_up_what_is_old(home: Home, keeper: Keeper) -> None:
    store = RunStore(home.runs)
    for name in ("old", "new"):
        store.create({}, name=name)
    old, new = store.delete("old"), store.delete("new")
    place = old.run.folder.parent
    moment = old.deleted - KEPT_FOR - timedelta(minutes=1)
    place.rename(place.with_name(f"{moment:%Y%m%dT%H%M%S%f}-aa"))
    half_made = [home.runs / ".incoming" / name for name in ("killed", "at-work")]
    for folder in half_made:
        folder.mkdir(parents=True)
    os.utime(half_made[0], (1, 1))
    keeper.start()
    wait_for(lambda: len(store.trash.list()) == 1 and not half_made[0].exists())
    assert store.trash.list() == [new]
    assert half_made[1].exists()
