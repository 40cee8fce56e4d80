import errno
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from filelock import FileLock

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import RunStateError, TrainingError
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from tests.support import Ear

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]

CONFIG = TrainingConfig(architecture="simple_cnn", width=0.25, epochs=2, batch_size=32)


@pytest.fixture
def run(home: Home, bars: Dataset) -> Run:
    return worker.create(RunStore(home.runs), CONFIG, bars)


def train(run: Run, home: Home, at_batch: Callable[[dict[str, Any]], None] | None = None) -> str:
    from pipeline.training.session import train_run

    return train_run(run, DatasetStore(home.data), Ear(at_batch))


def fail_with(error: BaseException) -> Callable[[dict[str, Any]], None]:
    def at_batch(progress: dict[str, Any]) -> None:
        if progress["epoch"] == 2:
            raise error

    return at_batch


def test_finished_run_holds_a_model_and_both_reports(run: Run, home: Home) -> None:
    assert train(run, home) == "finished"
    assert run.state.status is RunStatus.FINISHED
    assert run.state.started
    assert run.state.ended
    assert run.has_model
    assert set(run.evaluation) == {"validation", "test"}
    assert run.progress["epoch"] == 2
    with pytest.raises(RunStateError, match="has finished"):
        train(run, home)


def test_sigterm_stops_at_the_next_batch_and_keeps_the_best(run: Run, home: Home) -> None:
    def interrupt(progress: dict[str, Any]) -> None:
        if progress["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    # The report of the last batch comes after the question whether to stop.
    run.folder.joinpath("config.json").write_text(
        run.folder.joinpath("config.json").read_text().replace('"epochs": 2', '"epochs": 3')
    )
    assert train(run, home, interrupt) == "stopped"
    assert signal.getsignal(signal.SIGTERM) is before
    assert run.state.status is RunStatus.STOPPED
    assert run.has_model
    assert len(run.history) == 2


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (MemoryError(), TrainingError, "out of memory"),
        (OSError(errno.ENOSPC, "No space left"), TrainingError, "the disk is full"),
        (RuntimeError("CUDA out of memory. Tried"), TrainingError, "lower batch_size"),
        (ZeroDivisionError("odd"), ZeroDivisionError, "odd"),
    ],
)
def test_failure_is_told_and_the_best_weights_are_kept(
    run: Run, home: Home, error: Exception, kind: type[Exception], reason: str
) -> None:
    with pytest.raises(kind, match=reason) as caught:
        train(run, home, fail_with(error))
    if kind is TrainingError:
        assert caught.value.__cause__ is error
    assert run.state.status is RunStatus.FAILED
    assert reason in run.state.reason
    assert (run.folder / "checkpoints/best-0001.npz").exists()
    assert train(run, home) == "finished"
    assert [entry["epoch"] for entry in run.history] == [1, 2]


def test_run_held_by_another_process_is_left_alone(run: Run, home: Home) -> None:
    with (
        FileLock(run.folder / ".lock"),
        pytest.raises(RunStateError, match="by another process"),
    ):
        train(run, home)
    assert run.state.status is RunStatus.QUEUED


def test_changed_dataset_is_refused(run: Run, home: Home, bars: Dataset) -> None:
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(bars.images[:140] // 2, bars.labels[:140], bars.split_codes[:140])
        writer.finish(title="Other", source="test", kind="test")
    with pytest.raises(RunStateError, match="has changed since"):
        train(run, home)
    assert run.state.status is RunStatus.FAILED
