"""A clock that is set back, or forward, takes nothing away and ends nothing."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import psutil
import pytest

from app.jobs import JobRunner
from pipeline.dataset import DatasetStore
from pipeline.dataset.overlay import Edit, EditKind, OverlayStore
from pipeline.dataset.overlay import edit as edits
from pipeline.errors import RunStateError
from pipeline.files import write_json
from pipeline.home import Home
from pipeline.runs import ProcessMark, RunStatus, RunStore, store, trash, write_state
from pipeline.runs.notes import edit_notes
from pipeline.training.queue import RunQueue

SetClock = Callable[[timedelta], None]
YEAR = timedelta(days=365)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock off by so much, as every module sees it that asks for the time."""
    off, true_time = timedelta(0), time.time
    true_boot = psutil.boot_time()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + off

    for module in (store, trash, edits):
        monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: true_time() + off.total_seconds())
    if psutil.LINUX:
        # What Linux calls the time of its start is the clock's time less the time since.
        linux = sys.modules["psutil._pslinux"]
        monkeypatch.setattr(linux, "boot_time", lambda: true_boot + off.total_seconds())

    def set_off(by: timedelta) -> None:
        nonlocal off
        off = by

    return set_off


@pytest.mark.parametrize("by", [-YEAR, timedelta(seconds=-3), timedelta(seconds=2), YEAR])
def test_a_training_at_work_is_not_taken_for_dead(
    home: Home, set_clock: SetClock, by: timedelta
) -> None:
    runs, queue = RunStore(home.runs), RunQueue(home)
    run, waiting = runs.create({}, name="at-work"), runs.create({}, name="waiting")
    me = ProcessMark.of(os.getpid())
    write_json(run.folder / "started.json", asdict(me))
    write_state(
        run,
        replace(
            run.state,
            status=RunStatus.RUNNING,
            pid=me.pid,
            process_started=me.process_started,
        ),
    )
    queue.submit(waiting)
    set_clock(by)
    assert run.state.status is RunStatus.RUNNING
    assert run.launched == me
    assert me.is_alive
    assert queue.advance() == []  # or two would train where one may
    with pytest.raises(RunStateError, match="still running"):
        runs.delete(run.id)
    assert not ProcessMark(me.pid, me.process_started - 5).is_alive


def test_the_trash_keeps_its_runs_and_can_be_emptied(home: Home, set_clock: SetClock) -> None:
    runs = RunStore(home.runs)
    for name in ("one", "two"):
        runs.create({}, name=name)
        runs.delete(name)
    set_clock(-YEAR)
    runs.clean_up()
    assert {item.run.id for item in runs.trash.list()} == {"one", "two"}
    assert runs.restore("one").id == "one"
    assert runs.trash.discard() == 1
    assert runs.trash.list() == []
    runs.delete("one")
    set_clock(timedelta(0))  # put right again
    runs.clean_up()
    assert runs.trash.list() == []  # a year old, by all that is known


def test_runs_of_the_same_second_keep_apart(home: Home, set_clock: SetClock) -> None:
    runs = RunStore(home.runs)
    made = [runs.create({"architecture": "seed_cnn"})]
    for _ in range(3):
        set_clock(datetime.fromisoformat(made[0].state.created) - datetime.now().astimezone())
        made.append(runs.create({"architecture": "seed_cnn"}))
    assert len({run.id for run in made}) == 4
    assert {run.id for run in runs.list()} == {run.id for run in made}


def test_what_is_half_made_is_not_swept_away_early(home: Home, set_clock: SetClock) -> None:
    runs = RunStore(home.runs)
    with runs.incoming() as folder:
        set_clock(-YEAR)
        runs.clean_up()
        assert folder.is_dir()


def test_edits_keep_the_order_in_which_they_were_made(home: Home, set_clock: SetClock) -> None:
    datasets, overlays = DatasetStore(home.data), OverlayStore(home.data)
    with datasets.writer("faces") as writer:
        labels = np.arange(7, dtype=np.uint8)
        writer.append(np.zeros((7, 48, 48), np.uint8), labels, labels % 3)
        writer.finish(title="Faces", source="test", kind="csv")
    faces = datasets.open("faces")
    overlays.add(faces, Edit(EditKind.EXCLUDE, (1,)), based_on=0)
    set_clock(-YEAR)
    # The lock's file is of the future now; what counts is that nobody holds it.
    overlays.add(faces, Edit(EditKind.EXCLUDE, (2,)), based_on=1)
    overlay = overlays.add(faces, Edit(EditKind.UNDO), based_on=2)
    assert overlay.version == 3
    assert len(overlay.apply(faces)) == 6
    assert overlays.load(faces).edits == overlay.edits


def test_locks_have_no_age(home: Home, set_clock: SetClock) -> None:
    run = RunStore(home.runs).create({}, name="noted")
    edit_notes(run.folder, title="before")
    in_a_year = time.time() + YEAR.total_seconds()
    for path in run.folder.iterdir():
        os.utime(path, (in_a_year, in_a_year))
    set_clock(-YEAR)
    began = time.monotonic()
    assert edit_notes(run.folder, title="after").title == "after"
    assert time.monotonic() - began < 2


def test_a_job_s_time_goes_forward(set_clock: SetClock) -> None:
    runner, seen = JobRunner(), []

    def work(progress: Callable[..., None]) -> str:
        for step, by in enumerate((YEAR, -YEAR, timedelta(0))):
            set_clock(by)
            progress(step + 1, 4)
            seen.append(runner.list()[0])
        return "done"

    job = runner.start("test", "Test", work)
    assert job.wait(10)
    times = [snapshot.elapsed for snapshot in (*seen, job.snapshot())]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < 10
