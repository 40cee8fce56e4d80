"""The worker processes of this computer: started from anywhere, known by their files.

Each worker keeps `workers/<search>/<pid>.json` while it works; what it prints is
beside it if the dashboard started it. A worker that was killed, or failed,
leaves its file behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.errors import SweepError
from pipeline.files import last_lines, read_json, write_json
from pipeline.home import Home
from pipeline.runs import ProcessMark
from pipeline.training.background import launch
from pipeline.training.sweep.store import STORAGE_VARIABLE, SweepStore

_FOLDER = "workers"


@dataclass(frozen=True)
class WorkerProcess:
    """One worker of this computer.

    Attributes:
        sweep: The search that it works for.
        process: Its process.
        log: Name of the file that it prints to; empty if that is a terminal.
        stop_asked: Whether it was asked to stop.
    """

    sweep: str
    process: ProcessMark
    log: str = ""
    stop_asked: bool = False

    @property
    def pid(self) -> int:
        """Its process's id."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it works still."""
        return self.process.is_alive


@contextmanager
def registered(home: Home, sweep: str) -> Iterator[None]:
    """Makes this process known as a worker while the block runs; an error leaves the trace."""
    path = _folder(home, sweep) / f"{os.getpid()}.json"
    known = _read(path)
    if known is None or not known.is_alive:
        write_json(path, asdict(WorkerProcess(sweep, ProcessMark.of(os.getpid()))))
    yield
    path.unlink(missing_ok=True)


def start(store: SweepStore, sweep: str, home: Home) -> WorkerProcess:
    """Starts a worker in the background; it outlives this process.

    Traces of workers that ended are cleared away.

    Args:
        store: The database, which the worker is told of.
        sweep: The search.
        home: Where its dataset is and its runs will be.
    """
    for old in workers(home, sweep):
        if not old.is_alive:
            forget(home, old)
    folder = _folder(home, sweep)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{uuid.uuid4().hex[:8]}.log"
    # The address is no argument: others could read the password in the list of processes.
    pid = launch(["sweep", "worker", "--study", sweep], home, log, **{STORAGE_VARIABLE: store.url})
    worker = WorkerProcess(sweep, ProcessMark.of(pid), log.name)
    write_json(_path(home, worker), asdict(worker))
    return worker


def stop(home: Home, worker: WorkerProcess) -> None:
    """Asks a worker to stop at the next batch; once, as a second signal would kill it.

    Raises:
        SweepError: If it does not work any more.
    """
    if worker.stop_asked:
        return
    if not worker.is_alive:
        raise SweepError(f"worker {worker.pid} of {worker.sweep!r} has ended already")
    write_json(_path(home, worker), asdict(replace(worker, stop_asked=True)))
    os.kill(worker.pid, signal.SIGTERM)


def workers(home: Home, sweep: str) -> list[WorkerProcess]:
    """The workers of a search on this computer, also those that ended without a word."""
    found = (_read(path) for path in sorted(_folder(home, sweep).glob("*.json")))
    return [worker for worker in found if worker is not None]


def log_tail(home: Home, worker: WorkerProcess, num_lines: int = 40) -> str:
    """The last lines that a worker printed; empty if that was to a terminal."""
    return last_lines(_folder(home, worker.sweep) / worker.log, num_lines) if worker.log else ""


def forget(home: Home, worker: WorkerProcess) -> None:
    """Clears the trace of a worker that has ended."""
    _path(home, worker).unlink(missing_ok=True)
    if worker.log:
        (_folder(home, worker.sweep) / worker.log).unlink(missing_ok=True)


def delete(store: SweepStore, sweep: str, home: Home) -> None:
    """Forgets a search and its workers' logs; its runs stay.

    Raises:
        SweepNotFoundError: If there is none of that name.
        SweepError: If a worker is at it.
    """
    if any(worker.is_alive for worker in workers(home, sweep)):
        raise SweepError(f"workers are at sweep {sweep!r}: stop them first")
    store.delete(sweep)
    shutil.rmtree(_folder(home, sweep), ignore_errors=True)


def _folder(home: Home, sweep: str) -> Path:
    return home.sweeps / _FOLDER / sweep


def _path(home: Home, worker: WorkerProcess) -> Path:
    return _folder(home, worker.sweep) / f"{worker.pid}.json"


def _read(path: Path) -> WorkerProcess | None:
    try:
        values = read_json(path)
        return WorkerProcess(**{**values, "process": ProcessMark(**values["process"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
