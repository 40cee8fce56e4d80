import errno
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.overlay import Edit, OverlayStore, exclude
from pipeline.errors import DatasetError, RunStateError, TrainingError
from pipeline.files import write_json
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
        # On a busy machine there are reports within the epoch, too.
        if progress["epoch"] == 2 and progress["step"] == progress["steps"]:
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
    # Nobody chose it yet, so the test images were not looked at.
    assert set(run.evaluation) == {"validation"}


def test_a_stop_that_comes_while_it_is_packaged_stops_nothing(
    run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.training import session

    works = session.package_model

    def package_model(*arguments: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return works(*arguments, **more)

    monkeypatch.setattr(session, "package_model", package_model)
    assert train(run, home) == "finished"
    assert run.state.status is RunStatus.FINISHED
    assert set(run.evaluation) == {"validation", "test"}


def test_without_its_checkpoints_a_run_does_not_begin_anew(run: Run, home: Home) -> None:
    with pytest.raises(RuntimeError):
        train(run, home, fail_with(RuntimeError("broken")))
    history = run.history
    shutil.rmtree(run.folder / "checkpoints")
    with pytest.raises(RunStateError, match="cannot go on: its checkpoints are not here"):
        train(run, home)
    assert run.history == history


@pytest.mark.parametrize("file", ["arrays.npz", "state.json"])
def test_a_torn_checkpoint_is_told(run: Run, home: Home, file: str) -> None:
    with pytest.raises(RuntimeError):
        train(run, home, fail_with(RuntimeError("broken")))
    path = run.folder / "checkpoints" / "epoch-0001" / file
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunStateError, match=f"{file} is missing or damaged.*start a new run"):
        train(run, home)


def test_other_votes_are_refused(home: Home, bars: Dataset) -> None:
    store = DatasetStore(home.data)
    votes = np.zeros((len(bars), 10), np.uint8)
    votes[:, 0] = 10
    voted = store.attach_votes("bars", votes, "votes.csv")
    run = worker.create(RunStore(home.runs), replace(CONFIG, soft_labels=0.5), voted)
    store.attach_votes("bars", votes // 2, "other.csv")
    with pytest.raises(RunStateError, match="the FER\\+ votes of dataset 'bars' have changed"):
        train(run, home)


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


def test_second_signal_ends_it_at_once_and_it_can_go_on(run: Run, home: Home) -> None:
    def interrupt_twice(progress: dict[str, Any]) -> None:
        if progress["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(run, home, interrupt_twice)
    assert (run.state.status, run.state.reason) == (
        RunStatus.STOPPED,
        "ended at once, as asked twice",
    )
    assert train(run, home) == "finished"
    assert [entry["epoch"] for entry in run.history] == [1, 2]


def test_run_held_by_another_process_is_left_alone(run: Run, home: Home) -> None:
    with (
        FileLock(run.folder / ".lock"),
        pytest.raises(RunStateError, match="by another process"),
    ):
        train(run, home)
    assert run.state.status is RunStatus.QUEUED


@pytest.fixture
def edited_run(home: Home, bars: Dataset) -> Run:
    overlays = OverlayStore(home.data)
    overlays.add(bars, exclude([0, 1]), based_on=0)
    return worker.create(RunStore(home.runs), CONFIG, overlays.edited(bars, "latest"))


@pytest.mark.parametrize(
    ("edits", "error", "message"),
    [
        ([], DatasetError, "'bars': the edits have versions 0 to 0, got version 1"),
        ([exclude([5])], RunStateError, "version 1 of the edits of 'bars' has changed since"),
    ],
)
def test_edits_that_are_not_those_of_the_run_are_refused(
    edited_run: Run, home: Home, bars: Dataset,
    edits: list[Edit], error: type[Exception], message: str,
) -> None:  # fmt: skip
    overlays = OverlayStore(home.data)
    overlays.delete("bars")
    for version, edit in enumerate(edits):
        overlays.add(bars, edit, based_on=version)
    with pytest.raises(error, match=message):
        train(edited_run, home)
    assert edited_run.state.status is RunStatus.FAILED
    assert message in edited_run.state.reason


def test_runs_from_before_there_were_edits_go_on(
    run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.training.trainer import Trainer

    config = run.config
    del config["overlay_version"], config["edited_fingerprint"]
    write_json(run.folder / "config.json", config)
    monkeypatch.setattr(Trainer, "train", lambda self: None)
    assert train(run, home) == "stopped"  # where it was, and not refused


def test_changed_dataset_is_refused(run: Run, home: Home, bars: Dataset) -> None:
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(bars.images[:140] // 2, bars.labels[:140], bars.split_codes[:140])
        writer.finish(title="Other", source="test", kind="test")
    with pytest.raises(RunStateError, match="has changed since"):
        train(run, home)
    assert run.state.status is RunStatus.FAILED
