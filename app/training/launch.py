"""Starting trainings, at once or in line, and what is known of one before its first sign."""

from __future__ import annotations

from enum import StrEnum

from filelock import Timeout

from app import resources
from pipeline.dataset.overlay import NO_EDITS, OverlayStore
from pipeline.errors import PipelineError, RunStateError
from pipeline.files import read_json, write_json
from pipeline.runs import Run, RunState, RunStatus
from pipeline.runs.locks import locked
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from pipeline.training.preflight import check_training

_STOP_ASKED = "stop_asked.json"
_STOP_LOCK = ".stop.lock"
_LOCK_SECONDS = 5.0


class Phase(StrEnum):
    """A run's status, with what happens before the training process reports itself."""

    WAITING = "waiting"
    IN_LINE = "in_line"
    STARTING = "starting"
    STILLBORN = "stillborn"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_busy(self) -> bool:
        """Whether a process is at work on it."""
        return self in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)

    @property
    def is_lively(self) -> bool:
        """Whether something will happen to it without anybody's doing."""
        return self.is_busy or self is Phase.IN_LINE


def begin(config: TrainingConfig, dataset: str, name: str | None, edits: str = NO_EDITS) -> Run:
    """Makes a run and starts its training, or puts it in line if there is no room.

    Args:
        config: How to train.
        dataset: The dataset's name.
        name: The run's id; made from the architecture and the time if `None`.
        edits: Which edits of the dataset: `none`, `latest` or a version.

    Raises:
        DatasetError: If the dataset cannot be opened, or has no such edits.
        ConfigError: If the training cannot be; see `preflight.check_training`.
        ModelLoadError: If there is no such model as it starts from or is taught by.
        RunStateError: If a run of that name exists or the name is unusable.
    """
    home = resources.home()
    chosen = OverlayStore(home.data).edited(resources.dataset(dataset), edits)
    check_training(config, chosen, home)
    run = worker.create(resources.runs(), config, chosen, name)
    resume(run)
    return run


def resume(run: Run) -> None:
    """Starts or continues a run's training, or puts it in line if there is no room.

    Raises:
        RunStateError: If it is being trained, or has finished.
    """
    if not run.is_starting:  # as after a second click, or in a second tab
        resources.queue().submit(run)


def start_now(run: Run) -> None:
    """Starts a run that waits in line beside those that are being trained.

    Raises:
        RunStateError: If it is being trained, or has finished.
    """
    if not run.is_starting:
        resources.queue().start(run)


def take_out(run: Run) -> None:
    """Takes a run out of the line; it can be put there again."""
    resources.queue().remove(run.id)


def stop(run: Run) -> None:
    """Asks a run to stop and keep its best weights; only once.

    A second signal would end the process at once, and packaging takes seconds in
    which a button invites a second click.

    Raises:
        RunNotFoundError: If it was deleted.
        RunStateError: If it is not being trained.
    """
    try:
        # Two clicks may be two threads, in two dashboards even.
        with locked(run.folder, _STOP_LOCK, timeout=_LOCK_SECONDS):
            if phase(run) is Phase.STOPPING:
                return
            state = run.state
            asked = {"pid": state.pid, "process_started": state.process_started}
            # First the note: were it lost after the signal, the next click would send another.
            write_json(run.folder / _STOP_ASKED, asked)
            worker.stop(run)
    except Timeout as error:
        raise RunStateError(f"run {run.id!r} is being stopped elsewhere") from error


def phase(run: Run) -> Phase:
    """Where a run is now."""
    state = run.state
    if state.status is RunStatus.RUNNING:
        return Phase.STOPPING if _stop_was_asked(run, state) else Phase.RUNNING
    if run.is_starting:
        return Phase.STARTING
    if resources.queue().state.place(run.id):
        return Phase.IN_LINE
    if state.status is RunStatus.QUEUED:
        # It was started, and yet there is no sign of that.
        return Phase.WAITING if run.launched is None else Phase.STILLBORN
    return Phase(state.status.value)


def lively() -> list[Run]:
    """The runs that are being trained or about to be, then those in line; each the newest first."""
    busy, in_line = [], []
    for run in resources.runs().list():
        try:
            now = phase(run)
        except PipelineError:
            continue  # a damaged run is not being trained
        if now.is_busy:
            busy.append(run)
        elif now.is_lively:
            in_line.append(run)
    return [*busy, *in_line]


def _stop_was_asked(run: Run, state: RunState) -> bool:
    try:
        asked = read_json(run.folder / _STOP_ASKED)
    except (OSError, ValueError):
        return False
    return bool(asked == {"pid": state.pid, "process_started": state.process_started})
