"""The queue of runs that wait to be trained: one after another, or a few at a time.

The queue is a file of the home, `runs/queue.json`, so it needs no dashboard: a
training process that ends starts the next one. One that is killed cannot, so
the dashboard looks too, every few seconds. All of them take the same lock, and
a run leaves the queue when its process has been started, so none is started
twice, or when it can never be, which the log tells. Where the computer cannot
start any process now, all wait on.

This module does not import Keras.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from filelock import FileLock, Timeout

from pipeline.errors import ConfigError, PipelineError, RunNotFoundError, RunStateError
from pipeline.files import read_json, write_json
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker

MAX_SLOTS = 8

# Troubles that pass: no memory, processes, disk or open files left just now.
_PASSING = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
)
_FILE = "queue.json"
_LOCK = ".queue.lock"
_LOCK_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueState:
    """The content of `queue.json`.

    Attributes:
        waiting: Ids of the runs that wait, the next one first.
        slots: How many may be trained at a time.
    """

    waiting: tuple[str, ...] = ()
    slots: int = 1

    def place(self, run_id: str) -> int:
        """A run's place in the queue, from 1; 0 if it does not wait."""
        return self.waiting.index(run_id) + 1 if run_id in self.waiting else 0


class RunQueue:
    """The queue of one home; processes and threads may use it at the same time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store = RunStore(home.runs)
        self._path = home.runs / _FILE

    @property
    def state(self) -> QueueState:
        """The queue as it is now; an empty one where there is no file or it is damaged."""
        try:
            stored = read_json(self._path)
            waiting = tuple(str(run_id) for run_id in stored["waiting"])
            slots = min(max(int(stored["slots"]), 1), MAX_SLOTS)
            return QueueState(tuple(dict.fromkeys(waiting)), slots)
        except (OSError, KeyError, TypeError, ValueError):
            return QueueState()

    def submit(self, run: Run) -> int:
        """Puts a run at the end of the queue, and starts it at once if there is room.

        Args:
            run: New, stopped or failed.

        Returns:
            Its place in the queue, from 1; 0 if it has been started.

        Raises:
            RunStateError: If it is being trained, has finished, or cannot be
                started.
        """
        with self._locked():
            if run.is_busy or run.state.status is RunStatus.FINISHED:
                raise RunStateError(
                    f"run {run.id!r} is {run.state.status}: it cannot wait to be trained"
                )
            queue = self.state
            if not queue.place(run.id):
                self._save(replace(queue, waiting=(*queue.waiting, run.id)))
            self._start_next(run.id)
            return self.state.place(run.id)

    def start(self, run: Run) -> int:
        """Starts a run now, room or not, past all that wait; gives the process's id.

        Raises:
            RunStateError: See `worker.start`.
        """
        with self._locked():
            pid = worker.start(run, self._home)
            self._drop(run.id)
            return pid

    def remove(self, run_id: str) -> None:
        """Takes a run out of the queue; the run itself stays."""
        with self._locked():
            self._drop(run_id)

    def move(self, run_id: str, place: int) -> None:
        """Gives a run another place in the queue.

        Args:
            run_id: A run that waits.
            place: From 1; beyond the end means the end.

        Raises:
            RunStateError: If it does not wait (any more).
        """
        with self._locked():
            queue = self.state
            if not queue.place(run_id):
                raise RunStateError(f"run {run_id!r} does not wait to be trained (any more)")
            others = [other for other in queue.waiting if other != run_id]
            others.insert(max(place, 1) - 1, run_id)
            self._save(replace(queue, waiting=tuple(others)))

    def set_slots(self, slots: int) -> None:
        """Sets how many runs are trained at a time, and starts what there is room for.

        Args:
            slots: In `[1, MAX_SLOTS]`.

        Raises:
            ConfigError: If it is out of its range.
        """
        if not 1 <= slots <= MAX_SLOTS:
            raise ConfigError(f"between 1 and {MAX_SLOTS} runs train at a time, got {slots}")
        with self._locked():
            self._save(replace(self.state, slots=slots))
            self._start_next()

    def advance(self) -> list[Run]:
        """Starts the next runs as far as there is room; gives those that it started.

        A process that has just ended its training, and calls this, counts as gone.

        Raises:
            RunStateError: If another process keeps the queue locked.
        """
        if not self.state.waiting:
            return []  # without a lock, and without a folder where there is none
        with self._locked():
            return self._start_next()

    def _start_next(self, asked_for: str = "") -> list[Run]:
        """Starts what there is room for; whoever asked for one is told if it cannot be."""
        started: list[Run] = []
        by_id = {run.id: run for run in self._store.list()}
        room = self.state.slots - sum(map(_takes_room, by_id.values()))
        for run_id in self.state.waiting:
            run = by_id.get(run_id)
            if run is None or not _waits(run):
                self._drop(run_id)
            elif room > 0:
                try:
                    self._start(run)
                except OSError as error:
                    if run_id == asked_for:
                        self._drop(run_id)
                        raise _cannot_start(run, error) from error
                    # Not this run's fault, and the next would fare no better.
                    _log.warning("the queue waits: %s", _cannot_start(run, error))
                    break
                except RunStateError as error:
                    if run_id == asked_for:
                        raise
                    # One that cannot be started must not hold up those behind it.
                    _log.warning("run %s left the queue: %s", run_id, error)
                else:
                    started.append(run)
                    room -= 1
        return started

    def _start(self, run: Run) -> None:
        """Starts a run and takes it out of the queue; out too if it can never be started.

        Raises:
            RunStateError: If it can never be started.
            OSError: If the computer cannot start a process now: the run waits on.
        """
        try:
            worker.start(run, self._home)
        except (PipelineError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise
            self._drop(run.id)
            raise _cannot_start(run, error) from error
        self._drop(run.id)

    def _drop(self, run_id: str) -> None:
        queue = self.state
        if queue.place(run_id):
            rest = tuple(other for other in queue.waiting if other != run_id)
            self._save(replace(queue, waiting=rest))

    def _save(self, queue: QueueState) -> None:
        write_json(self._path, asdict(queue))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path.with_name(_LOCK), timeout=_LOCK_SECONDS)
        try:
            held = lock.acquire()
        except Timeout as error:
            raise RunStateError("the queue of the runs is in use: try again") from error
        with held:
            yield


def _waits(run: Run) -> bool:
    """Whether a run of the queue is still to be trained: neither deleted nor started by hand."""
    try:
        return not run.is_busy and run.state.status is not RunStatus.FINISHED
    except RunNotFoundError:
        return False


def _takes_room(run: Run) -> bool:
    try:
        if run.state.status is RunStatus.RUNNING:
            return True
        # A process that never got to train its run, and now looks for the next, is no hindrance.
        return run.is_starting and (run.launched is None or run.launched.pid != os.getpid())
    except RunNotFoundError:  # deleted since it was listed
        return False


def _cannot_start(run: Run, error: Exception) -> RunStateError:
    return RunStateError(f"run {run.id!r} could not be started: {error}")
