import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest

from app.training import launch
from app.training.launch import Phase
from pipeline.dataset import DatasetStore
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore, write_state
from pipeline.training.config import TrainingConfig

NOBODY = 2**22 + 1
"""Beyond any process."""


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FERLAB_HOME", str(home.root))
    return RunStore(home.runs).create({"dataset": "faces"}, name="run")


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What `worker.spawn` gives next, last first; it starts no process."""
    pids = [os.getpid()]
    monkeypatch.setattr("pipeline.training.worker.spawn", lambda run, home: pids.pop())
    return pids


def test_from_the_click_to_the_first_sign_it_is_starting(run: Run, starts: list[int]) -> None:
    assert launch.phase(run) is Phase.WAITING
    launch.resume(run)
    assert launch.phase(run) is Phase.STARTING
    assert [found.id for found in launch.lively()] == ["run"]
    created = psutil.Process().create_time()
    write_state(
        run,
        replace(run.state, status=RunStatus.RUNNING, pid=os.getpid(), process_started=created),
    )
    assert launch.phase(run) is Phase.RUNNING
    write_state(run, replace(run.state, status=RunStatus.STOPPED))
    # The process may live a little longer than its training.
    assert launch.phase(run) is Phase.STOPPED


def test_a_training_that_cannot_be_leaves_no_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERLAB_HOME", str(home.root))
    numbers = np.arange(21, dtype=np.uint8)
    with DatasetStore(home.data).writer("faces") as writer:
        writer.append(np.zeros((21, 48, 48), np.uint8), numbers % 7, numbers % 3)
        writer.finish(title="Faces", source="test", kind="test")
    for impossible in (TrainingConfig(attention="se"), TrainingConfig(start_from="fer-vgg")):
        with pytest.raises(ConfigError, match=r"attention|vgg_deep"):
            launch.begin(impossible, "faces", None)
    assert RunStore(home.runs).list() == []


def test_a_second_click_starts_no_second_process(run: Run, starts: list[int]) -> None:
    launch.resume(run)
    launch.resume(run)
    assert starts == []


def test_a_process_that_died_before_its_first_sign_is_told_apart(
    run: Run, starts: list[int]
) -> None:
    starts[:] = [NOBODY]
    launch.resume(run)
    assert launch.phase(run) is Phase.STILLBORN
    assert launch.lively() == []


def test_a_stopped_run_whose_resume_died_is_still_stopped(run: Run, starts: list[int]) -> None:
    write_state(run, replace(run.state, status=RunStatus.STOPPED, pid=NOBODY - 1))
    starts[:] = [NOBODY]
    launch.resume(run)
    assert launch.phase(run) is Phase.STOPPED


def test_damaged_runs_do_not_hide_the_others(run: Run, home: Home, starts: list[int]) -> None:
    launch.resume(run)
    broken = RunStore(home.runs).create({}, name="broken")
    (broken.folder / "status.json").write_text("{")
    assert [found.id for found in launch.lively()] == ["run"]


def test_stop_is_asked_once_and_shows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("pipeline.training.worker.stop", lambda run: asked.append(run.id))
    created = psutil.Process().create_time()
    state = replace(run.state, status=RunStatus.RUNNING, pid=os.getpid(), process_started=created)
    write_state(run, state)
    launch.stop(run)
    launch.stop(run)
    assert asked == ["run"]
    assert launch.phase(run) is Phase.STOPPING
    (run.folder / "stop_asked.json").write_bytes(b"\xff\xfe")
    assert launch.phase(run) is Phase.RUNNING
    launch.stop(run)
    assert asked == ["run", "run"]
    write_state(run, replace(state, status=RunStatus.STOPPED))
    assert launch.phase(run) is Phase.STOPPED
    # Its next process has not been asked.
    write_state(run, replace(state, pid=os.getppid(), process_started=None))
    assert launch.phase(run) is Phase.RUNNING


def test_two_clicks_at_once_send_one_signal_after_the_note(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def slow_stop(run: Run) -> None:
        seen.append(launch.phase(run))
        time.sleep(0.3)  # in which the second click comes

    monkeypatch.setattr("pipeline.training.worker.stop", slow_stop)
    created = psutil.Process().create_time()
    state = replace(run.state, status=RunStatus.RUNNING, pid=os.getpid(), process_started=created)
    write_state(run, state)
    with ThreadPoolExecutor() as clicks:
        list(clicks.map(launch.stop, [run, run]))
    assert seen == [Phase.STOPPING]
