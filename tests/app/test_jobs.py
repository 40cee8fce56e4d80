import logging
import threading

import pytest

from app.jobs import JobBusyError, JobRunner, JobSnapshot, JobState
from app.messages import APOLOGY
from pipeline.errors import DatasetError
from pipeline.progress import Progress


class Gate:
    """Work that reports progress, then waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self.cleaned_up = False

    def __call__(self, progress: Progress) -> str:
        try:
            progress(30, 100, "halfway there")
            self.reached.set()
            assert self.open.wait(10)
            progress(60, 100)
            return "all done"
        finally:
            self.cleaned_up = True


def test_job_reports_progress_and_its_result() -> None:
    runner, gate = JobRunner(), Gate()
    job = runner.start("demo", "Demo", gate)
    assert gate.reached.wait(10)
    (now,) = runner.list()
    assert now.is_running
    assert runner.is_running("demo")
    assert not runner.is_running("another")
    assert (now.fraction, now.text) == (0.3, "halfway there")
    gate.open.set()
    assert job.wait(10)
    assert not runner.is_running("demo")
    (ended,) = runner.list()
    assert (ended.state, ended.message) == (JobState.DONE, "all done")
    # A later report without words keeps the words of the one before.
    assert (ended.fraction, ended.text) == (0.6, "halfway there")


def test_cancel_stops_the_work_at_its_next_report() -> None:
    runner, gate = JobRunner(), Gate()
    job = runner.start("demo", "Demo", gate)
    assert gate.reached.wait(10)
    runner.cancel(job.snapshot().id)
    assert job.snapshot().stopping
    gate.open.set()
    assert job.wait(10)
    assert job.snapshot().state is JobState.CANCELLED
    assert gate.cleaned_up


def test_foreseen_error_is_told_in_its_own_words() -> None:
    def work(progress: Progress) -> str:
        raise DatasetError("fer2013.csv, row 7: value 300 is over 255")

    runner = JobRunner()
    runner.start("demo", "Demo", work).wait(10)
    (ended,) = runner.list()
    assert ended.state is JobState.FAILED
    assert ended.message == "fer2013.csv, row 7: value 300 is over 255."


def test_unforeseen_error_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    def work(progress: Progress) -> str:
        raise RuntimeError("secret inner workings")

    runner = JobRunner()
    with caplog.at_level(logging.ERROR, logger="app.jobs"):
        runner.start("demo", "Demo", work).wait(10)
    (ended,) = runner.list()
    assert ended.message == APOLOGY
    assert "secret inner workings" in caplog.text


def test_one_job_of_a_kind_at_a_time() -> None:
    runner, gate = JobRunner(), Gate()
    first = runner.start("demo", "Demo", gate)
    with pytest.raises(JobBusyError, match="still running"):
        runner.start("demo", "Demo", lambda progress: "")
    other = runner.start("other", "Other", lambda progress: "fine")
    assert other.wait(10)
    gate.open.set()
    assert first.wait(10)
    # The next one of its kind takes the place of the ended one.
    runner.start("demo", "Again", lambda progress: "").wait(10)
    assert [job.title for job in runner.list()] == ["Other", "Again"]


def test_dismiss_forgets_ended_jobs_only() -> None:
    runner, gate = JobRunner(), Gate()
    job = runner.start("demo", "Demo", gate)
    runner.dismiss(job.snapshot().id)
    assert len(runner.list()) == 1
    gate.open.set()
    assert job.wait(10)
    runner.dismiss(job.snapshot().id)
    assert runner.list() == []


def test_close_cancels_and_waits() -> None:
    runner = JobRunner()
    stopped = threading.Event()

    def work(progress: Progress) -> str:
        try:
            while True:
                progress(0, None)
        finally:
            stopped.set()

    runner.start("demo", "Demo", work)
    runner.close()
    assert stopped.is_set()
    assert runner.list()[0].state is JobState.CANCELLED


@pytest.mark.parametrize(
    ("done", "total", "fraction"), [(5, None, None), (5, 0, None), (5, 10, 0.5), (12, 10, 1.0)]
)
def test_fraction_stays_between_nothing_and_all(
    done: float, total: float | None, fraction: float | None
) -> None:
    assert JobSnapshot(1, "k", "t", done=done, total=total).fraction == fraction


def test_time_left_follows_the_pace() -> None:
    job = JobSnapshot(1, "k", "t", done=25, total=100, elapsed=10)
    assert job.seconds_left == pytest.approx(30)
    assert JobSnapshot(1, "k", "t", done=25, total=100, elapsed=0.2).seconds_left is None
