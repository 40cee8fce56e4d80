"""Long work that a page starts and the server owns.

A job runs in a thread of the server, not in the script run that started it, so
it survives reruns, a page change and a closed browser. Pages read snapshots;
nothing here knows Streamlit.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.messages import APOLOGY, describe
from pipeline.errors import PipelineError
from pipeline.progress import Cancelled, Progress

_logger = logging.getLogger(__name__)
_KEPT = 20

Work = Callable[[Progress], str]


class JobBusyError(PipelineError):
    """A job of that kind is running already."""


class JobState(StrEnum):
    """Where a job is in its life."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class JobSnapshot:
    """A job as it was at one moment.

    Attributes:
        id: Distinct for each job of a runner, ascending.
        kind: What it does; one job of a kind runs at a time.
        title: What the interface calls it.
        state: Where it is.
        done: Units of work behind it.
        total: Units of work in all; `None` if unknown.
        text: What it is doing now.
        message: What it came to, one sentence; empty while it runs.
        stopping: Whether it was asked to stop and has not yet.
        elapsed: Seconds since its start, up to its end.
    """

    id: int
    kind: str
    title: str
    state: JobState = JobState.RUNNING
    done: float = 0.0
    total: float | None = None
    text: str = ""
    message: str = ""
    stopping: bool = False
    elapsed: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it is still at work."""
        return self.state is JobState.RUNNING

    @property
    def fraction(self) -> float | None:
        """The share that is done, in `[0, 1]`; `None` if unknown."""
        if not self.total or self.total <= 0:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the pace so far; `None` until there is one."""
        fraction = self.fraction
        if not fraction or self.elapsed < 1.0:
            return None
        return self.elapsed * (1.0 - fraction) / fraction


class Job:
    """One piece of work and its thread; all methods are thread-safe."""

    def __init__(self, job_id: int, kind: str, title: str, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._started = time.monotonic()
        self._now = JobSnapshot(job_id, kind, title)
        self._thread = threading.Thread(target=self._run, name=f"job-{kind}", daemon=True)

    def start(self) -> None:
        """Begins the work."""
        self._thread.start()

    def cancel(self) -> None:
        """Asks the work to stop; it does so the next time it reports progress."""
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end; tells whether it came within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def snapshot(self) -> JobSnapshot:
        """The job as it is now."""
        with self._lock:
            now = self._now
        if not now.is_running:
            return now
        return replace(
            now, stopping=self._cancelled.is_set(), elapsed=time.monotonic() - self._started
        )

    def _run(self) -> None:
        try:
            message = self._work(self._progress)
        except Cancelled:
            self._end(JobState.CANCELLED, "Cancelled; nothing was changed.")
        except Exception as error:
            sentence = describe(error)
            if sentence is None:
                _logger.exception("job %r failed", self._now.kind)
            self._end(JobState.FAILED, sentence or APOLOGY)
        else:
            self._end(JobState.DONE, message)

    def _progress(self, done: float, total: float | None, text: str = "") -> None:
        if self._cancelled.is_set():
            raise Cancelled("cancelled from the dashboard")
        with self._lock:
            self._now = replace(self._now, done=done, total=total, text=text or self._now.text)

    def _end(self, state: JobState, message: str) -> None:
        elapsed = time.monotonic() - self._started
        with self._lock:
            self._now = replace(self._now, state=state, message=message, elapsed=elapsed)


class JobRunner:
    """The jobs of one server; all methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._ids = itertools.count(1)

    def start(self, kind: str, title: str, work: Work) -> Job:
        """Begins a job in a thread of its own.

        Args:
            kind: What it does. Ended jobs of the same kind are forgotten.
            title: What the interface calls it.
            work: Takes a `Progress`, through which it is cancelled too, and
                returns the sentence to show at the end.

        Raises:
            JobBusyError: If a job of that kind is running.
        """
        with self._lock:
            same = {key: job for key, job in self._jobs.items() if job.snapshot().kind == kind}
            if any(job.snapshot().is_running for job in same.values()):
                raise JobBusyError(
                    f"{title}: the one before is still running; wait for it or cancel it first"
                )
            for key in same:
                del self._jobs[key]
            job = Job(next(self._ids), kind, title, work)
            self._jobs[job.snapshot().id] = job
            self._forget_oldest()
            job.start()
        return job

    def try_start(self, kind: str, title: str, work: Work) -> bool:
        """Begins a job unless one of its kind is at work, as after a second click.

        Args:
            kind: As for `start`.
            title: Likewise.
            work: Likewise.

        Returns:
            Whether it began.
        """
        try:
            self.start(kind, title, work)
        except JobBusyError:
            return False
        return True

    def list(self) -> list[JobSnapshot]:
        """All jobs that nobody has dismissed, the oldest first."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job.snapshot() for job in jobs]

    def is_running(self, kind: str) -> bool:
        """Whether a job of that kind is at work."""
        return any(job.kind == kind and job.is_running for job in self.list())

    def cancel(self, job_id: int) -> None:
        """Asks a job to stop; an unknown or ended one is left alone."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is not None:
            job.cancel()

    def dismiss(self, job_id: int) -> None:
        """Forgets a job that has ended."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and not job.snapshot().is_running:
                del self._jobs[job_id]

    def close(self, timeout: float = 5.0) -> None:
        """Cancels what runs and gives it `timeout` seconds to clean up after itself."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        deadline = time.monotonic() + timeout
        for job in jobs:
            job.wait(max(0.0, deadline - time.monotonic()))

    def _forget_oldest(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.snapshot().is_running]
        for key in ended[: max(0, len(self._jobs) - _KEPT)]:
            del self._jobs[key]
