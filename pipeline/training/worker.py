"""Training in a process of its own, started and stopped from anywhere.

This module does not import Keras: the dashboard uses it. The process belongs
to no one: it outlives the dashboard, and all that is said between them goes
through the run's folder.
"""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from typing import Any

from filelock import Timeout

from pipeline.dataset import Dataset
from pipeline.errors import RunStateError
from pipeline.files import write_json
from pipeline.home import Home
from pipeline.runs import ProcessMark, Run, RunStatus, RunStore, process_is_alive
from pipeline.runs.locks import locked
from pipeline.runs.run import LOG, STARTED
from pipeline.training import architectures
from pipeline.training.background import launch
from pipeline.training.config import TrainingConfig

_START_LOCK = ".start.lock"
_LOCK_SECONDS = 5.0


def create(
    store: RunStore,
    config: TrainingConfig,
    dataset: Dataset,
    name: str | None = None,
    *,
    sweep: str | None = None,
) -> Run:
    """Makes a new run, in state `queued`.

    Args:
        store: Where runs are kept.
        config: How to train.
        dataset: What to train on, with the edits to train with; the run refuses
            to go on if either changes.
        name: The run's id; made from the architecture and the time if `None`.
        sweep: The hyperparameter search that it is a trial of, if it is one.

    Raises:
        UnknownArchitectureError: If the architecture is not registered.
        RunStateError: If the name is unusable, or a run or another model has it.
    """
    architectures.get(config.architecture)
    return store.create(made_with(config, dataset, sweep), name=name)


def made_with(config: TrainingConfig, dataset: Dataset, sweep: str | None) -> dict[str, Any]:
    """What a run that `create` makes keeps of how and on what it trains: its `config.json`."""
    return {
        **config.to_dict(),
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.official.meta.fingerprint,
        "overlay_version": dataset.overlay_version,
        "edited_fingerprint": dataset.meta.fingerprint if dataset.edits else None,
        "votes_fingerprint": dataset.official.votes_fingerprint if config.soft_labels else None,
        **({"sweep": sweep} if sweep else {}),
    }


def start(run: Run, home: Home) -> int:
    """Starts, or resumes, a run's training in the background, at once.

    `queue.RunQueue.submit` waits for room instead.

    Args:
        run: A run that is not being trained.
        home: The home that the run belongs to.

    Returns:
        The process's id.

    Raises:
        RunNotFoundError: If the run was deleted.
        RunStateError: If the run is being trained, was just started, or has
            finished.
    """
    try:
        with locked(run.folder, _START_LOCK, timeout=_LOCK_SECONDS):
            status = run.state.status
            if status in (RunStatus.RUNNING, RunStatus.FINISHED):
                raise RunStateError(f"run {run.id!r} is {status}: it cannot be started")
            if run.is_starting:
                raise RunStateError(f"run {run.id!r} is starting already")
            pid = spawn(run, home)
            write_json(run.folder / STARTED, asdict(ProcessMark.of(pid)))
            return pid
    except Timeout as error:
        raise RunStateError(f"run {run.id!r} is being started elsewhere") from error


def spawn(run: Run, home: Home) -> int:
    """Starts the process that trains a run, without any question; see `start`."""
    return launch(["train", "--resume", run.id], home, run.folder / LOG)


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
