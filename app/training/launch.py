"""Starting trainings, and what is known of one between its start and its first sign."""

from __future__ import annotations

import json
from enum import StrEnum

import psutil

from app import resources
from pipeline.errors import PipelineError
from pipeline.files import read_json, write_json
from pipeline.runs import Run, RunState, RunStatus, process_is_alive
from pipeline.training import worker
from pipeline.training.config import TrainingConfig

_STARTED = "started.json"
_STOP_ASKED = "stop_asked.json"


class Phase(StrEnum):
    """A run's status, with what happens before the training process reports itself."""

    WAITING = "waiting"
    STARTING = "starting"
    STILLBORN = "stillborn"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_lively(self) -> bool:
        """Whether something is to be expected of it soon."""
        return self in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


def begin(config: TrainingConfig, dataset: str, name: str | None) -> Run:
    """Makes a run and starts its training.

    Raises:
        DatasetError: If the dataset cannot be opened.
        RunStateError: If a run of that name exists or the name is unusable.
    """
    run = worker.create(resources.runs(), config, resources.dataset(dataset), name)
    resume(run)
    return run


def resume(run: Run) -> None:
    """Starts or continues a run's training.

    Raises:
        RunStateError: If it is being trained, was just started, or has finished.
    """
    if phase(run) is Phase.STARTING:
        return  # a second click, or a second tab
    pid = worker.start(run, resources.home())
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        created = 0.0  # gone already, and so it will be found
    write_json(run.folder / _STARTED, {"pid": pid, "process_started": created})


def stop(run: Run) -> None:
    """Asks a run to stop and keep its best weights; only once.

    A second signal would end the process at once, and packaging takes seconds in
    which a button invites a second click.

    Raises:
        RunStateError: If it is not being trained.
    """
    if phase(run) is Phase.STOPPING:
        return
    state = run.state
    worker.stop(run)
    asked = {"pid": state.pid, "process_started": state.process_started}
    write_json(run.folder / _STOP_ASKED, asked)


def phase(run: Run) -> Phase:
    """Where a run is now."""
    state = run.state
    if state.status is not RunStatus.RUNNING:
        early = _before_first_sign(run, state)
        if early is not None:
            return early
    elif _stop_was_asked(run, state):
        return Phase.STOPPING
    return Phase.WAITING if state.status is RunStatus.QUEUED else Phase(state.status.value)


def lively() -> list[Run]:
    """The runs that are being trained or about to be, the newest first."""
    found = []
    for run in resources.runs().list():
        try:
            if phase(run).is_lively:
                found.append(run)
        except PipelineError:
            continue  # a damaged run is not being trained
    return found


def _before_first_sign(run: Run, state: RunState) -> Phase | None:
    """The phase of a run whose newest process has not written its state (yet)."""
    try:
        started = read_json(run.folder / _STARTED)
        pid, created = int(started["pid"]), float(started["process_started"])
    except (OSError, json.JSONDecodeError, KeyError, TypeError, ValueError):
        return None  # never started from here
    if state.pid == pid:
        return None
    if process_is_alive(pid, created):
        return Phase.STARTING
    # Another process, say of a terminal, may have taken it on since.
    return Phase.STILLBORN if state.status is RunStatus.QUEUED else None


def _stop_was_asked(run: Run, state: RunState) -> bool:
    try:
        asked = read_json(run.folder / _STOP_ASKED)
    except (OSError, json.JSONDecodeError):
        return False
    return bool(asked == {"pid": state.pid, "process_started": state.process_started})
