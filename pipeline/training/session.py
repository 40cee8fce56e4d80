"""One run in this process, from `queued` to its end, whatever happens."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import keras
from filelock import Timeout

from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.overlay import NO_EDITS, OverlayStore
from pipeline.errors import PipelineError, RunStateError, TrainingError
from pipeline.files import write_json
from pipeline.home import Home
from pipeline.progress import Cancelled, Progress, no_progress
from pipeline.runs import Run, RunStatus, process_started, write_state
from pipeline.runs.locks import locked
from pipeline.runs.run import CHECKPOINTS, LOCK
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.config import TrainingConfig
from pipeline.training.distillation import teacher_contract, teacher_scores
from pipeline.training.packaging import package_model
from pipeline.training.preflight import check_unfinished
from pipeline.training.trainer import Listener, Trainer
from pipeline.training.warm_start import earlier_stages, start_weights


def train_run(
    run: Run,
    datasets: DatasetStore,
    listener: Listener,
    progress: Progress = no_progress,
    given_up: Callable[[], str] = str,
) -> RunStatus:
    """Trains a run to its end, or from where it was interrupted, and packages the model.

    SIGINT and SIGTERM stop it cleanly at the next batch; the best weights so far
    become the run's model all the same. Whatever ends it, `status.json` says so.

    Args:
        run: Queued, stopped, failed or abandoned by a killed process.
        datasets: Where its dataset is.
        listener: Is told of batches and epochs.
        progress: Is told how far packaging is.
        given_up: Asked after every batch for a reason to give the run up: it then
            stops, and keeps its history and best weights but is not packaged.
            The default, `str`, never has one.

    Returns:
        `FINISHED` or `STOPPED`.

    Raises:
        RunStateError: If it is running elsewhere, or finished already.
        PipelineError: If training failed; the run's status holds the reason.
    """
    with _claimed(run):
        try:
            with stop_requests() as stop, _foreseen_failures():
                recorder = _Recorder(run, listener)
                is_done = _train_and_package(run, datasets, recorder, stop, progress, given_up)
        except KeyboardInterrupt:
            _end(run, RunStatus.STOPPED, "ended at once, as asked twice")
            raise
        except BaseException as error:
            _end(run, RunStatus.FAILED, str(error) or type(error).__name__)
            raise
        if is_done:  # though it may have been asked to stop while it was packaged
            _end(run, RunStatus.FINISHED, "")
            return RunStatus.FINISHED
        _end(run, RunStatus.STOPPED, "stopped on request" if stop.is_set() else given_up())
        return RunStatus.STOPPED


class _Recorder:
    """Writes progress to the run's folder, and passes it on."""

    def __init__(self, run: Run, listener: Listener) -> None:
        self._run = run
        self._listener = listener

    def on_batch(self, progress: dict[str, Any]) -> None:
        write_json(self._run.folder / "progress.json", progress)
        self._listener.on_batch(progress)

    def on_epoch(self, entry: dict[str, Any]) -> None:
        self._listener.on_epoch(entry)

    def on_note(self, text: str) -> None:
        self._listener.on_note(text)


def _train_and_package(
    run: Run,
    datasets: DatasetStore,
    listener: Listener,
    stop: threading.Event,
    progress: Progress,
    given_up: Callable[[], str],
) -> bool:
    """Whether the run is done: trained to its end, and packaged."""
    config, dataset = recipe(run, datasets)

    def should_stop() -> bool:
        return stop.is_set() or bool(given_up())

    def until_stopped(done: float, total: float | None, text: str = "") -> None:
        progress(done, total, text)
        if should_stop():
            raise Cancelled

    home = Home(datasets.root.parent)
    # A resumed training has weights of its own, whatever became of those it began with.
    resumed = Checkpoints(run.folder / CHECKPOINTS).latest() is not None
    if run.history and not resumed:
        raise RunStateError(
            f"run {run.id!r} cannot go on: its {CHECKPOINTS} are not here. Import it with them, "
            "or start a new run from the weights of its model (start_from)"
        )
    start = start_weights(config, home) if config.start_from and not resumed else None
    earlier, teacher = earlier_stages(config, home), teacher_contract(config, home)
    taught = None
    if config.teacher:
        try:
            taught = teacher_scores(run, config.teacher, home, dataset, progress=until_stopped)
        except Cancelled:
            if should_stop():
                return False
            raise

    trainer = Trainer(run, config, dataset, listener, should_stop, taught, start)
    model = trainer.train()
    if model is None or given_up():
        return False
    package_model(
        model,
        run.folder,
        name=run.id,
        config=config,
        dataset=dataset,
        earlier=earlier,
        teacher=teacher,
        # One that was given up early or is one of many tries does not look at the test images:
        # whoever chooses it has them scored then.
        with_test=not trainer.was_stopped and run.sweep is None,
        progress=progress,
    )
    return not trainer.was_stopped


@contextmanager
def _claimed(run: Run) -> Iterator[None]:
    """Makes the run this process's: of two that try at once, one is refused.

    The operating system lets go of the lock when its process dies.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(run.folder, LOCK, timeout=0))
        except Timeout as error:
            raise RunStateError(f"run {run.id!r} is being trained by another process") from error
        check_unfinished(run)
        state = run.state
        write_state(
            run,
            replace(
                state,
                status=RunStatus.RUNNING,
                reason="",
                pid=os.getpid(),
                process_started=process_started(os.getpid()),
                started=state.started or _now(),
                ended=None,
            ),
        )
        yield


def _end(run: Run, status: RunStatus, reason: str) -> None:
    write_state(run, replace(run.state, status=status, reason=reason, ended=_now()))


def recipe(run: Run, datasets: DatasetStore) -> tuple[TrainingConfig, Dataset]:
    """How a run trains, and on what, with the edits that it trains with.

    Raises:
        DatasetNotFoundError: If its dataset is gone.
        RunStateError: If the dataset or its edits are not what they were.
        ConfigError: If a setting is not valid.
    """
    values = dict(run.config)
    values.pop("sweep", None)
    dataset = datasets.open(values.pop("dataset"))
    _check_unchanged(run, f"dataset {dataset.name!r}", dataset, values.pop("dataset_fingerprint"))
    # Runs made before there was a choice know neither.
    version, fingerprint = (
        values.pop(key, None) for key in ("overlay_version", "edited_fingerprint")
    )
    edited = OverlayStore(datasets.root).edited(dataset, NO_EDITS if version is None else version)
    votes = values.pop("votes_fingerprint", None)
    if votes is not None and dataset.votes_fingerprint != votes:
        raise RunStateError(
            f"the FER+ votes of dataset {dataset.name!r} have changed since run {run.id!r} was "
            "made: start a new run"
        )
    if fingerprint is not None:
        which = f"version {version} of the edits of {dataset.name!r}"
        _check_unchanged(run, which, edited, fingerprint)
    return TrainingConfig.from_dict(values), edited


def _check_unchanged(run: Run, what: str, dataset: Dataset, expected: str) -> None:
    if dataset.meta.fingerprint != expected:
        raise RunStateError(
            f"{what} has changed since run {run.id!r} was made (fingerprint "
            f"{dataset.meta.fingerprint[:12]}, expected {expected[:12]}): start a new run"
        )


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second signal ends the process."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _foreseen_failures() -> Iterator[None]:
    """Turns what can go wrong with any training into one sentence about it."""
    try:
        yield
    except PipelineError:
        raise
    except MemoryError as error:
        raise TrainingError(_out_of_memory()) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise TrainingError(
                "the disk is full: free some space, then continue with `train --resume`"
            ) from error
        raise
    except Exception as error:
        # Each backend has its own exception for it; their names are what they share.
        if "ResourceExhausted" in type(error).__name__ or "out of memory" in str(error).lower():
            raise TrainingError(_out_of_memory()) from error
        raise


def _out_of_memory() -> str:
    return (
        f"out of memory on {keras.backend.backend()}: lower batch_size, input_size or width, "
        "then start a new run"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
