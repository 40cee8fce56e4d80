import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import RunStateError, SweepError, TrainingError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import RunStatus, RunStore, write_state
from pipeline.training import worker as training
from pipeline.training.config import TrainingConfig
from pipeline.training.sweep import Sweep, SweepField, TrialPhase, processes
from pipeline.training.sweep.worker import work
from tests.pipeline.training.sweep.conftest import BASE
from tests.support import Ear

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]

MakeSweep = Callable[..., Sweep]
TOO_LOW = optuna.distributions.FloatDistribution(1e-7, 1e-6, log=True)


def wait_for(what: Callable[[], bool], log: Callable[[], str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s; {log()}")
        time.sleep(0.05)


def command(home: Home, sweep: Sweep, log: Path) -> subprocess.Popen[bytes]:
    arguments = ["sweep", "worker", "--study", sweep.name, "--trials", "2"]
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=PROJECT_ROOT,
            env={**os.environ, "FERLAB_HOME": str(home.root)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def test_two_processes_share_one_study(home: Home, make_sweep: MakeSweep, tmp_path: Path) -> None:
    sweep = make_sweep(base=replace(BASE, epochs=1), num_trials=3)
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    workers = [command(home, sweep, log) for log in logs]
    ends = [worker.wait(timeout=180) for worker in workers]
    said = [log.read_text() for log in logs]
    assert ends == [0, 0], said
    # Each takes two at most, so both have taken part.
    assert sorted(text.count(": finished") for text in said) == [1, 2]
    trials = sweep.trials
    assert [item.phase for item in trials] == [TrialPhase.FINISHED] * 3, said
    # Each is an ordinary run, and what the study knows is what the run came to.
    runs = [RunStore(home.runs).get(item.run) for item in trials]
    assert [run.id for run in runs] == [f"search-t00{number}" for number in range(3)]
    for run, item in zip(runs, trials, strict=True):
        assert run.state.status is RunStatus.FINISHED
        assert run.has_model
        assert run.config["learning_rate"] == item.params["learning_rate"]
        assert run.best is not None
        assert run.best["val_accuracy"] == item.value
    assert processes.workers(home, sweep.name) == []


def test_a_killed_worker_loses_no_finished_epoch_and_blocks_nobody(
    home: Home, make_sweep: MakeSweep
) -> None:
    sweep = make_sweep(base=replace(BASE, epochs=4, batch_size=16), num_trials=1)
    worker = processes.start(sweep.store, sweep.name, home)
    store = RunStore(home.runs)
    wait_for(
        lambda: any(len(run.history) >= 2 for run in store.list()),
        lambda: processes.log_tail(home, worker),
    )
    os.kill(worker.pid, signal.SIGKILL)
    wait_for(lambda: not worker.is_alive, lambda: "it lives on")
    assert [known.pid for known in processes.workers(home, sweep.name)] == [worker.pid]
    assert "trial 0" in processes.log_tail(home, worker)
    assert [item.phase for item in sweep.trials] == [TrialPhase.WAITING]
    before = store.get("search-t000").history
    ear = Ear()
    assert work(sweep, home, ear) == 1
    (trial,) = sweep.trials
    assert (trial.number, trial.phase) == (0, TrialPhase.FINISHED)
    assert list(trial.curve) == [1, 2, 3, 4]
    assert [run.id for run in store.list()] == ["search-t000"]
    assert store.get("search-t000").history[: len(before)] == before
    assert ear.epochs[0]["epoch"] == len(before) + 1
    assert work(sweep, home, ear) == 0


def test_a_stopped_trial_goes_on_where_it_stopped(home: Home, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(base=replace(BASE, epochs=3), num_trials=1)

    def interrupt(progress: dict[str, Any]) -> None:
        if progress["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert work(sweep, home, Ear(interrupt)) == 1
    assert signal.getsignal(signal.SIGTERM) is before
    assert [item.phase for item in sweep.trials] == [TrialPhase.WAITING]
    assert RunStore(home.runs).get("search-t000").state.status is RunStatus.STOPPED
    ear = Ear()
    assert work(sweep, home, ear) == 1
    assert [item.phase for item in sweep.trials] == [TrialPhase.FINISHED]
    assert ear.epochs[-1]["epoch"] == 3
    assert len(ear.epochs) < 3


def test_a_second_signal_loses_no_trial(home: Home, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(base=replace(BASE, epochs=2), num_trials=1)

    def interrupt(progress: dict[str, Any]) -> None:
        raise KeyboardInterrupt  # as `stop_requests` does

    assert work(sweep, home, Ear(interrupt)) == 1
    assert [item.phase for item in sweep.trials] == [TrialPhase.WAITING]
    assert RunStore(home.runs).get("search-t000").sweep == sweep.name


def test_a_poor_trial_is_given_up_and_keeps_what_it_has(home: Home, make_sweep: MakeSweep) -> None:
    # With no learning to speak of, whatever rate is drawn, it stays below what the four before had.
    slow = SweepField("learning_rate", 1e-7, 1e-6, log=True)
    sweep = make_sweep(base=replace(BASE, epochs=4), fields=(slow,), num_trials=5)
    for _ in range(4):
        sweep.study().add_trial(
            optuna.create_trial(
                params={"learning_rate": 1e-6},
                distributions={"learning_rate": TOO_LOW},
                value=1.0,
                intermediate_values={1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0},
            )
        )
    assert work(sweep, home, Ear()) == 1
    trial = sweep.trials[-1]
    assert trial.phase is TrialPhase.PRUNED
    assert trial.note == "pruned: after epoch 2 worse than the median of the trials before"
    run = RunStore(home.runs).get(trial.run)
    assert (run.state.status, run.state.reason) == (RunStatus.STOPPED, trial.note)
    assert len(run.history) == 2
    assert not run.has_model
    assert list(run.folder.glob("checkpoints/best-*"))


class TestFailures:
    @pytest.fixture
    def train_run(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
        """Makes every training fail."""
        from pipeline.training import session

        def fail_with(error: BaseException) -> None:
            def fail(*args: object) -> None:
                raise error

            monkeypatch.setattr(session, "train_run", fail)

        return fail_with

    def test_settings_that_diverge_teach_the_sampler_and_do_not_stop_the_search(
        self,
        home: Home,
        make_sweep: MakeSweep,
        train_run: Callable[[BaseException], None],
    ) -> None:
        sweep = make_sweep(num_trials=3)
        train_run(TrainingError("the loss became nan"))
        assert work(sweep, home, Ear()) == 3
        assert [item.phase for item in sweep.trials] == [TrialPhase.PRUNED] * 3
        assert sweep.trials[0].note == "the loss became nan"

    def test_a_full_disk_stops_it(
        self,
        home: Home,
        make_sweep: MakeSweep,
        train_run: Callable[[BaseException], None],
    ) -> None:
        sweep = make_sweep(num_trials=3)
        error = TrainingError("the disk is full")
        error.__cause__ = OSError("No space left")
        train_run(error)
        with pytest.raises(TrainingError, match="disk is full"):
            work(sweep, home, Ear())
        assert [(item.phase, item.note) for item in sweep.trials] == [
            (TrialPhase.WAITING, "the disk is full")
        ]

    def test_the_runs_of_an_earlier_sweep_are_left_alone(
        self, home: Home, make_sweep: MakeSweep
    ) -> None:
        sweep = make_sweep()
        config = {**TrainingConfig().to_dict(), "dataset": "bars", "dataset_fingerprint": "ab"}
        run = RunStore(home.runs).create(config, name="search-t000")
        with pytest.raises(RunStateError, match="of an earlier sweep"):
            work(sweep, home, Ear())
        assert run.state.status is RunStatus.QUEUED

    @pytest.mark.parametrize(
        "other",
        [
            {"dataset": "faces"},
            {"dataset_fingerprint": "ab"},
            {"votes_fingerprint": "ab"},
            {"overlay_version": 1},
            {"sweep": None},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_a_finished_run_with_the_same_settings_is_no_trial_of_this_sweep_if_it_learned_else(
        self, home: Home, bars: Dataset, make_sweep: MakeSweep, other: dict[str, Any]
    ) -> None:
        sweep, drawn = make_sweep(num_trials=1), {"learning_rate": 1e-3}
        sweep.study().enqueue_trial(drawn)
        config = sweep.definition.sample(optuna.trial.FixedTrial(drawn))
        values = {**training.made_with(config, bars, sweep.name), **other}
        run = RunStore(home.runs).create(values, name="search-t000")
        write_state(run, replace(run.state, status=RunStatus.FINISHED))
        with pytest.raises(RunStateError, match="with other settings or other data"):
            work(sweep, home, Ear())
        assert [item.phase for item in sweep.trials] == [TrialPhase.WAITING]

    def test_another_dataset_of_the_name_is_refused(
        self, home: Home, make_sweep: MakeSweep
    ) -> None:
        sweep = make_sweep()
        store = DatasetStore(home.data)
        bars = store.open("bars")
        with store.writer("bars") as writer:
            writer.append(bars.images[:140] // 2, bars.labels[:140], bars.split_codes[:140])
            writer.finish(title="Other", source="test", kind="test")
        with pytest.raises(SweepError, match="is not that of the sweep"):
            work(sweep, home, Ear())
        assert sweep.trials == []

    def test_a_dataset_without_the_votes_of_the_sweep_is_refused(
        self, home: Home, make_sweep: MakeSweep
    ) -> None:
        soft = SweepField("soft_labels", 0.1, 1.0)
        sweep = make_sweep(has_votes=True, fields=(soft,), num_trials=1)
        with pytest.raises(SweepError, match=r"no FER\+ votes.*attach them with"):
            work(sweep, home, Ear())
        assert sweep.trials == []
