"""Training in a process of its own, started and stopped from anywhere.

This module does not import Keras: the dashboard uses it. The process belongs
to no one: it outlives the dashboard, and all that is said between them goes
through the run's folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from pipeline.dataset import Dataset
from pipeline.errors import RunStateError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import Run, RunStatus, RunStore, process_is_alive
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig


def create(
    store: RunStore, config: TrainingConfig, dataset: Dataset, name: str | None = None
) -> Run:
    """Makes a new run, in state `queued`.

    Args:
        store: Where runs are kept.
        config: How to train.
        dataset: What to train on; the run refuses to go on if it changes.
        name: The run's id; made from the architecture and the time if `None`.

    Raises:
        UnknownArchitectureError: If the architecture is not registered.
        RunStateError: If a run of that name exists or the name is unusable.
    """
    architectures.get(config.architecture)
    return store.create(
        {
            **config.to_dict(),
            "dataset": dataset.name,
            "dataset_fingerprint": dataset.meta.fingerprint,
        },
        name=name,
    )


def start(run: Run, home: Home) -> int:
    """Starts, or resumes, a run's training in the background.

    Args:
        run: A run that is not being trained.
        home: The home that the run belongs to.

    Returns:
        The process's id.

    Raises:
        RunStateError: If the run is being trained or has finished.
    """
    status = run.state.status
    if status in (RunStatus.RUNNING, RunStatus.FINISHED):
        raise RunStateError(f"run {run.id!r} is {status}: it cannot be started")
    with (run.folder / "train.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "train", "--resume", run.id],
            cwd=PROJECT_ROOT,
            env={**os.environ, "FERLAB_HOME": str(home.root), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # A child nobody waits for stays a zombie that looks alive.
    threading.Thread(target=process.wait, name=f"reap-{run.id}", daemon=True).start()
    return process.pid


def stop(run: Run) -> None:
    """Asks a run's process to stop at the next batch and keep the best weights.

    Raises:
        RunStateError: If the run is not being trained.
    """
    state = run.state
    if (
        state.status is not RunStatus.RUNNING
        or state.pid is None
        or not process_is_alive(state.pid, state.process_started)
    ):
        raise RunStateError(f"run {run.id!r} is {state.status}: there is nothing to stop")
    os.kill(state.pid, signal.SIGTERM)
