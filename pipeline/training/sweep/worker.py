"""A worker: takes trials of a search one after another and trains each as a run."""

from __future__ import annotations

import math
import os
import platform
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import (
    ConfigError,
    PipelineError,
    RunStateError,
    SweepError,
    TrainingError,
)
from pipeline.home import Home
from pipeline.progress import Progress, no_progress
from pipeline.runs import Run, RunStatus, RunStore, process_started
from pipeline.training import worker as training
from pipeline.training.config import TrainingConfig
from pipeline.training.sweep import trials
from pipeline.training.sweep.definition import SweepDefinition
from pipeline.training.sweep.retries import fail_silent, retry, retry_dead
from pipeline.training.sweep.store import Sweep

if TYPE_CHECKING:
    import optuna

    from pipeline.training.trainer import Listener

_RANDOM_AT_FIRST = 10
_NEVER_PRUNED = 4


def work(
    sweep: Sweep,
    home: Home,
    listener: Listener,
    *,
    num_trials: int | None = None,
    progress: Progress = no_progress,
) -> int:
    """Trains trials of a search until it has as many as it is to have.

    SIGINT and SIGTERM stop it at the next batch; the trial is queued again
    and goes on from its last finished epoch. Keras is loaded.

    Args:
        sweep: The search.
        home: Where the dataset is and the runs will be.
        listener: Is told of batches and epochs, and in `on_note` of trials.
        num_trials: The most trials to train; `None`: as many as there are.
        progress: Is told how far packaging is.

    Returns:
        How many trials it trained.

    Raises:
        SweepError: If the dataset here is another one than that of the search, or
            lacks its votes.
        PipelineError: If a trial met something that the next one would meet
            too, such as a full disk; it is queued again.
    """
    # It loads Keras.
    from pipeline.training.session import stop_requests

    with stop_requests() as stop:
        return _Worker(sweep, home, listener, progress, stop).work(num_trials)


class Interrupted(Exception):  # noqa: N818 - the trial itself is fine
    """A trial's training stopped before its end, through no fault of its settings."""


class _Worker:
    def __init__(
        self,
        sweep: Sweep,
        home: Home,
        listener: Listener,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._sweep = sweep
        self._datasets = DatasetStore(home.data)
        self._runs = RunStore(home.runs)
        self._listener = listener
        self._progress = progress
        self._stop = stop
        self._trouble: PipelineError | None = None
        self._dataset = _dataset(self._datasets, sweep.definition)
        self._study = _study(sweep)

    def work(self, num_trials: int | None) -> int:
        done = 0
        while not self._stop.is_set() and (num_trials is None or done < num_trials):
            if not self._train_one():
                break
            done += 1
        return done

    def _train_one(self) -> bool:
        """Takes and trains one trial; False if none is left."""
        with ExitStack() as claim:
            # Of two workers that count at once, the second counts the first one's trial.
            claim.enter_context(self._sweep.store.lock())
            definition = self._sweep.definition
            if self._num_left(definition) <= 0:
                return False
            self._study.optimize(
                lambda trial: self._objective(trial, definition, claim.close),
                n_trials=1,
                catch=Interrupted,
                callbacks=[self._ended],
            )
        if self._trouble is not None:
            raise self._trouble
        return True

    def _num_left(self, definition: SweepDefinition) -> int:
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False):
            if trials.is_dead(trial):
                self._study.tell(trial.number, state=TrialState.FAIL)
                retry_dead(self._study, trial)
        fail_silent(self._study)
        now = trials.latest(self._study.get_trials(deepcopy=False))
        return definition.num_trials - sum(map(trials.has_begun, now))

    def _objective(
        self, trial: optuna.Trial, definition: SweepDefinition, claimed: Callable[[], None]
    ) -> float:
        number = trial.user_attrs.get(trials.ORIGIN, trial.number)
        for key, value in (
            (trials.ORIGIN, number),
            (trials.HOST, platform.node()),
            (trials.PID, os.getpid()),
            (trials.PROCESS_STARTED, process_started(os.getpid())),
            (trials.NOTE, ""),  # of an earlier attempt
        ):
            trial.set_user_attr(key, value)
        claimed()
        try:
            config = definition.sample(trial)
            run = self._run(trials.run_id(self._sweep.name, number), config)
            self._listener.on_note(f"trial {number}, run {run.id}: {_listed(trial.params)}")
            return self._train(run, trial, definition, config)
        except KeyboardInterrupt as error:  # a second signal: at once, not at the next batch
            self._stop.set()
            raise Interrupted from error
        except PipelineError as error:
            # Settings that contradict, diverge or need too much memory are no accident: the
            # sampler learns to keep away from a pruned trial, but ignores a failed one.
            is_settings = isinstance(error, ConfigError | TrainingError)
            if is_settings and not isinstance(error.__cause__, OSError):
                raise _pruned(trial, str(error)) from error
            # Whatever else it is, the next trial would meet it too: this one waits for its end.
            trial.set_user_attr(trials.NOTE, str(error))
            self._trouble = error
            raise Interrupted from error

    def _train(
        self, run: Run, trial: optuna.Trial, definition: SweepDefinition, config: TrainingConfig
    ) -> float:
        from pipeline.training.session import train_run

        judge = _Judge(trial, definition, config.epochs, self._listener)
        for entry in run.history:
            judge.report(entry)
        if run.state.status is not RunStatus.FINISHED:  # else killed between run and report
            status = train_run(run, self._datasets, judge, self._progress, judge.verdict)
            if status is RunStatus.STOPPED:
                if judge.verdict():
                    raise _pruned(trial, judge.verdict())
                self._stop.set()
                raise Interrupted
        if run.best is None:
            raise RunStateError(f"run {run.id!r} has finished but has no best epoch: delete it")
        return float(run.best[definition.metric])

    def _run(self, run_id: str, config: TrainingConfig) -> Run:
        """The run of a trial: a new one, or that of the trial that this one continues.

        A trial that another computer began has no run here, and begins anew.
        """
        run = next((run for run in self._runs.list() if run.id == run_id), None)
        if run is None:
            return training.create(
                self._runs, config, self._dataset, run_id, sweep=self._sweep.name
            )
        kept = run.config
        expected = training.made_with(config, self._dataset, self._sweep.name)
        if any(kept.get(key) != value for key, value in expected.items()):
            raise RunStateError(
                f"there is a run {run_id!r} with other settings or other data already, such as "
                "one of an earlier sweep of the same name: delete it, or begin a sweep with "
                "another name"
            )
        return run

    def _ended(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if trial.state.name == "FAIL":
            retry(study, trial, most=None)
        value = "" if trial.value is None else f", {trial.value:.4f}"
        note = trial.user_attrs.get(trials.NOTE, "")
        word = "interrupted" if trial.state.name == "FAIL" else note or "finished"
        self._listener.on_note(f"trial {trials.origin(trial)}: {word}{value}")


class _Judge:
    """A `Listener` that reports epochs to the study, which may give the training up."""

    def __init__(
        self, trial: optuna.Trial, definition: SweepDefinition, epochs: int, listener: Listener
    ) -> None:
        self._trial = trial
        self._definition = definition
        self._epochs = epochs
        self._listener = listener
        self._verdict = ""

    def verdict(self) -> str:
        """Why the training should not go on; empty while it should."""
        return self._verdict

    def report(self, entry: dict[str, Any]) -> None:
        """Takes an epoch that ended before now."""
        value = entry[self._definition.metric]
        if math.isfinite(value):
            self._trial.report(value, entry["epoch"])

    def on_batch(self, progress: dict[str, Any]) -> None:
        self._listener.on_batch(progress)

    def on_epoch(self, entry: dict[str, Any]) -> None:
        self._listener.on_epoch(entry)
        self.report(entry)
        # After the last epoch there is nothing to save by giving up.
        if (
            entry["epoch"] < self._epochs
            and self._definition.pruning
            and self._trial.should_prune()
        ):
            self._verdict = (
                f"pruned: after epoch {entry['epoch']} worse than the median of the trials before"
            )

    def on_note(self, text: str) -> None:
        self._listener.on_note(text)


def _study(sweep: Sweep) -> optuna.Study:
    """The study, with the samplers that this search calls for."""
    import optuna

    definition = sweep.definition
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if definition.pruning:
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=_NEVER_PRUNED,
            # The first epochs, with a rate that still rises, say little.
            n_warmup_steps=1 + max(1, definition.base.epochs // 5),
        )
    at_first = min(_RANDOM_AT_FIRST, max(2, definition.num_trials // 3))
    # No seed: workers with the same one would all try the same.
    sampler = optuna.samplers.TPESampler(n_startup_trials=at_first)
    return sweep.study(sampler=sampler, pruner=pruner)


def _dataset(datasets: DatasetStore, definition: SweepDefinition) -> Dataset:
    dataset = datasets.open(definition.dataset)
    if dataset.meta.fingerprint != definition.fingerprint:
        raise SweepError(
            f"dataset {dataset.name!r} here (fingerprint {dataset.meta.fingerprint[:12]}) is not "
            f"that of the sweep ({definition.fingerprint[:12]}): import the same files, or begin "
            "a new sweep"
        )
    if definition.has_votes and dataset.meta.votes_source is None:
        # Each trial would be refused for its settings, and the whole search pruned.
        raise SweepError(
            f"dataset {dataset.name!r} here has no FER+ votes, as it has where the sweep was made: "
            f"attach them with `dataset votes {dataset.name} fer2013new.csv`"
        )
    return dataset


def _pruned(trial: optuna.Trial, reason: str) -> Exception:
    import optuna

    trial.set_user_attr(trials.NOTE, reason)
    return optuna.TrialPruned(reason)


def _listed(params: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in params.items()
    )
