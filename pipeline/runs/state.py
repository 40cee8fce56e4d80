"""Where a run is in its life, and whether the process behind it still lives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import psutil

STATUS = "status.json"


class RunStatus(StrEnum):
    """Where a run is in its life.

    `QUEUED` is a run that was made and never trained; whether it waits
    to be, `training.queue` knows.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class RunState:
    """The content of `status.json`.

    Attributes:
        status: Where the run is.
        reason: Why it stopped or failed, one sentence.
        pid: The training process.
        process_started: When it began, as `process_started` tells: a later
            process with the same id is another one.
        created, started, ended: ISO 8601 in UTC.
    """

    status: RunStatus
    created: str
    reason: str = ""
    pid: int | None = None
    process_started: float | None = None
    started: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class ProcessMark:
    """A process, told apart from later ones with the same id.

    Attributes:
        pid: Its id.
        process_started: When it began, as `process_started` tells.
    """

    pid: int
    process_started: float

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        """The mark of a process; one that is gone already gets a mark that never lives."""
        try:
            return cls(pid, process_started(pid))
        except psutil.Error:
            return cls(pid, -1.0)

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return process_is_alive(self.pid, self.process_started)


def process_started(pid: int) -> float:
    """When a process began, in seconds: the same number whenever it is asked.

    On Linux since the computer was started, elsewhere since 1970. Linux works
    out the latter from the clock, so that it moves whenever the clock is set.

    Raises:
        psutil.Error: If it is gone.
    """
    return _starts(psutil.Process(pid))[0]


def process_is_alive(pid: int | None, started: float | None) -> bool:
    """Whether the very process that had this id and that `process_started` still runs."""
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return started is None or any(abs(start - started) < 1.0 for start in _starts(process))
    except psutil.Error:
        return False


def _starts(process: psutil.Process) -> tuple[float, ...]:
    """What a process's start can have been noted as; earlier versions counted since 1970."""
    since_1970 = process.create_time()
    return (since_1970 - psutil.boot_time(), since_1970) if psutil.LINUX else (since_1970,)
