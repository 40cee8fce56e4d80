"""`kill -9` of trainings and of the dashboard, twenty times, at random moments."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import PROJECT_ROOT, Home
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from pipeline.training.queue import RunQueue
from tests import training_process

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]

WORKER_KILLS = 12
SERVER_KILLS = 8
CONFIG = TrainingConfig(
    architecture="simple_cnn", width=0.25, epochs=5, batch_size=16, early_stopping=0
)


@pytest.fixture
def dots(home: Home) -> Dataset:
    """As few images as make an epoch of several batches: a kill tests nothing in their midst."""
    images = np.random.default_rng(0).integers(0, 256, (70, 48, 48), np.uint8)
    store = DatasetStore(home.data)
    with store.writer("dots") as writer:
        labels = (np.arange(70) % 7).astype(np.uint8)
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), [42, 14, 14]))
        writer.finish(title="Dots", source="test", kind="test")
    return store.open("dots")


def wait_for(what: Callable[[], object], run: Run, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"{run.state}\n{run.log_tail()}"
        time.sleep(0.001)


def stored(run: Run) -> dict[str, Any]:
    """The newest checkpoint's state, once all that belongs to it has been read whole."""
    folder = run.folder / "checkpoints"
    newest = max(folder.glob("epoch-*/state.json"), default=None)
    if newest is None:
        return {"epochs_done": 0, "history": []}
    state: dict[str, Any] = json.loads(newest.read_text())
    for path in (newest.with_name("arrays.npz"), folder / f"best-{state['best_epoch']:04d}.npz"):
        with np.load(path) as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays.files)
    return state


def kill_at_some_moment(run: Run, home: Home, rng: random.Random) -> None:
    """Trains a run, and kills its process while it starts, trains, writes or packages."""
    before, folder = len(run.history), run.folder
    process = training_process.start(run, home)
    moment, delay = rng.choice(
        [
            (lambda: True, 1.0),
            (lambda: run.state.status is RunStatus.RUNNING, 1.0),
            (lambda: len(run.history) > before, 0.5),
            (lambda: any(folder.glob("checkpoints/.*.tmp")), 0.01),
            (lambda: (folder / ".packaging").exists(), 0.5),
        ]
    )
    wait_for(lambda: moment() or not process.is_alive(), run)
    process.join(rng.uniform(0, delay))
    process.kill()
    process.join()


def test_killed_trainings_lose_no_finished_epoch(home: Home, dots: Dataset) -> None:
    rng, store = random.Random(7), RunStore(home.runs)
    kills, finished = 0, 0
    run = worker.create(store, CONFIG, dots)
    while kills < WORKER_KILLS:
        history, saved = run.history, stored(run)
        kill_at_some_moment(run, home, rng)
        assert run.state.status is not RunStatus.RUNNING
        # What was finished before is there unchanged, and maybe more.
        assert run.history[: len(history)] == history
        assert stored(run)["history"][: len(run.history)] == run.history
        assert stored(run)["history"][: saved["epochs_done"]] == saved["history"]
        if run.state.status is RunStatus.FINISHED:
            finished += 1
            run = worker.create(store, CONFIG, dots)  # it was quicker than the killer
        else:
            kills += 1
    training_process.start(run, home).join()
    for run in store.list():
        assert run.state.status is RunStatus.FINISHED, run.log_tail()
        assert [entry["epoch"] for entry in run.history] == [1, 2, 3, 4, 5]
        EmotionClassifier.load(run.folder)  # scores its probes as the network did
    assert len(store.list()) == finished + 1


@pytest.fixture
def start_server(home: Home) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    servers = []

    def start() -> subprocess.Popen[bytes]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "FERLAB_HOME": str(home.root),
            "STREAMLIT_SERVER_PORT": str(port),
            "STREAMLIT_SERVER_HEADLESS": "true",
        }
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
        with (home.root / "server.log").open("ab") as log:
            servers.append(
                subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log)
            )
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
        server.wait()


def test_killed_dashboards_take_no_training_along(
    home: Home, dots: Dataset, start_server: Callable[[], subprocess.Popen[bytes]]
) -> None:
    rng, store, queue = random.Random(11), RunStore(home.runs), RunQueue(home)
    endless = replace(CONFIG, epochs=2000)
    first, second = (worker.create(store, endless, dots, name) for name in ("first", "second"))
    (home.runs / "queue.json").write_text('{"waiting": ["first", "second"], "slots": 1}')
    servers = [start_server(), start_server()]  # both want to start it
    wait_for(lambda: first.launched, first)
    launched = first.launched
    assert launched is not None
    history: list[dict[str, float]] = []
    for kill in range(SERVER_KILLS):
        server = servers.pop(0) if servers else start_server()
        time.sleep(rng.uniform(0, 1 if kill < 2 else 4))
        assert server.poll() is None
        server.kill()
        server.wait()
        assert launched.is_alive
        assert first.history[: len(history)] == history
        history = first.history
    wait_for(lambda: len(first.history) > len(history), first)
    assert first.launched == launched
    assert first.state.pid == launched.pid
    assert queue.state.waiting == ("second",)
    # With no dashboard left, the training that ends starts the next one.
    worker.stop(first)
    wait_for(lambda: second.launched, first)
    successor = second.launched
    assert successor is not None
    os.kill(successor.pid, signal.SIGKILL)
    wait_for(lambda: not launched.is_alive, first)
    assert first.state.status is RunStatus.STOPPED
    assert first.has_model
    assert queue.state.waiting == ()
    assert (first.folder / "train.log").read_text().count("Run first:") == 1
    assert not psutil.pid_exists(successor.pid) or not successor.is_alive
