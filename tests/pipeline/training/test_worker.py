import os
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.dataset import Dataset
from pipeline.errors import RunStateError, UnknownArchitectureError
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig

CONFIG = TrainingConfig(architecture="simple_cnn", width=0.25, epochs=4, batch_size=8, seed=5)


def wait_for(what: Callable[[], bool], run: Run, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s; {run.state}\n{run.log_tail()}")
        time.sleep(0.05)


def is_over(run: Run) -> bool:
    return run.state.status in (RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.FAILED)


def test_unknown_architecture_makes_no_run(home: Home, bars: Dataset) -> None:
    store = RunStore(home.runs)
    with pytest.raises(UnknownArchitectureError, match="seed_cnn"):
        worker.create(store, TrainingConfig(architecture="alexnet"), bars)
    assert store.list() == []


def test_only_a_running_run_can_be_stopped(home: Home, bars: Dataset) -> None:
    run = worker.create(RunStore(home.runs), CONFIG, bars)
    with pytest.raises(RunStateError, match="nothing to stop"):
        worker.stop(run)


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
def test_killed_run_resumes_as_if_unbroken(home: Home, bars: Dataset) -> None:
    store = RunStore(home.runs)
    broken, whole = (worker.create(store, CONFIG, bars, name) for name in ("broken", "whole"))
    pid = worker.start(broken, home)
    wait_for(lambda: len(broken.history) >= 2, broken)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_over(broken), broken)
    assert broken.state.status is RunStatus.FAILED
    finished_epochs = len(broken.history)
    worker.start(broken, home)
    wait_for(lambda: broken.state.status is RunStatus.RUNNING, broken)
    with pytest.raises(RunStateError, match="cannot be started"):
        worker.start(broken, home)
    wait_for(lambda: is_over(broken), broken)
    worker.start(whole, home)
    wait_for(lambda: is_over(whole), whole)
    assert broken.state.status is whole.state.status is RunStatus.FINISHED
    assert 2 <= finished_epochs <= 4
    losses = [[entry["val_loss"] for entry in run.history] for run in (broken, whole)]
    np.testing.assert_allclose(*losses, atol=1e-4)


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
def test_background_run_stops_when_asked(home: Home, bars: Dataset) -> None:
    from dataclasses import replace

    run = worker.create(RunStore(home.runs), replace(CONFIG, epochs=2000, early_stopping=0), bars)
    pid = worker.start(run, home)
    wait_for(lambda: len(run.history) >= 1, run)
    worker.stop(run)
    wait_for(lambda: is_over(run), run)
    assert run.state.status is RunStatus.STOPPED, run.log_tail()
    assert run.has_model
    log = run.log_tail(1000)
    assert "val_accuracy" in log
    assert "oneDNN" not in log
    assert "cudart" not in log
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), run, 20)  # noqa: PTH110 - reaped
