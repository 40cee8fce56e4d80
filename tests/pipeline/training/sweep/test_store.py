import os
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import optuna
import psutil
import pytest

from pipeline.errors import ConfigError, SweepError, SweepNotFoundError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import RunStore
from pipeline.training.sweep import Sweep, SweepStore, TrialPhase, trials
from pipeline.training.sweep.retries import retry
from pipeline.training.sweep.store import best

MakeSweep = Callable[..., Sweep]
State = optuna.trial.TrialState
RATE = optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)
# What is asked for outside of `optimize` here is told at once.
pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")

NOBODY = 2**22 + 1
"""Beyond any process."""


def add(sweep: Sweep, state: State, rate: float = 1e-3, **more: Any) -> None:
    sweep.study().add_trial(
        optuna.create_trial(
            state=state,
            params={"learning_rate": rate},
            distributions={"learning_rate": RATE},
            **more,
        )
    )


def test_looking_makes_no_database_and_loads_no_optuna(home: Home) -> None:
    script = (
        "import sys; from pathlib import Path; from pipeline.home import Home\n"
        "from pipeline.training.sweep import SweepStore, processes\n"
        f"print(SweepStore.of(Home(Path({str(home.root)!r})), environ={{}}).names())\n"
        "print([name for name in ('optuna', 'sqlalchemy', 'keras') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["[]", "[]"]
    assert not home.sweeps.exists()


def test_what_is_made_is_found_again(home: Home, store: SweepStore, make_sweep: MakeSweep) -> None:
    made = [make_sweep("first"), make_sweep("second", metric="val_loss")]
    other = SweepStore.of(home, environ={})
    assert other.names() == ["second", "first"]
    for sweep in made:
        assert other.get(sweep.name).definition == sweep.definition
    with pytest.raises(SweepError, match="exists already"):
        make_sweep("first")
    store.delete("first")
    assert other.names() == ["second"]
    with pytest.raises(SweepNotFoundError, match=r"no sweep 'first'.*there: second"):
        other.get("first")
    with pytest.raises(SweepNotFoundError, match="was deleted"):
        _ = made[0].trials


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "x" * 61])
def test_a_name_that_cannot_be_is_refused(make_sweep: MakeSweep, name: str) -> None:
    with pytest.raises(SweepError, match="cannot name a sweep"):
        make_sweep(name)


def test_a_name_is_free_again_once_the_runs_of_the_deleted_sweep_are_gone(
    home: Home, store: SweepStore, make_sweep: MakeSweep
) -> None:
    make_sweep("mine")
    runs = RunStore(home.runs)
    for name in ("mine-t1000", "other-t000-2", "other-t01"):
        runs.create({}, name=name)
    with pytest.raises(SweepError, match="exists already"):
        make_sweep("mine")
    store.delete("mine")
    assert store.taken(runs) == {"mine"}
    with pytest.raises(SweepError, match=r"runs of an earlier sweep 'mine' are still here: delete"):
        make_sweep("mine")
    assert make_sweep("other").name == "other"
    runs.delete("mine-t1000")
    assert make_sweep("mine").name == "mine"


def test_writers_wait_and_readers_do_not(store: SweepStore, make_sweep: MakeSweep) -> None:
    sweep = make_sweep()
    from sqlalchemy import create_engine, text

    with create_engine(store.url).connect() as other:
        assert other.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        other.execute(text("BEGIN IMMEDIATE"))
        assert sweep.trials == []
        other.rollback()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("hello", "not the address of a database"),
        ("postgresql://me:secret@localhost/x", 'pip install "psycopg'),
        ("sqlite:////proc/none/x.db", "does not answer: .*No such file"),
    ],
)
def test_a_database_that_cannot_be_is_one_sentence(
    home: Home, make_sweep: MakeSweep, url: str, message: str
) -> None:
    definition = make_sweep().definition
    with pytest.raises(SweepError, match=message) as caught:
        SweepStore(url, home.sweeps).create("x", definition, RunStore(home.runs))
    assert "secret" not in str(caught.value)


def test_the_environment_names_the_database_and_the_argument_wins(home: Home) -> None:
    named = {"FERLAB_SWEEPS": "sqlite:////a.db"}
    assert SweepStore.of(home, environ=named).url == "sqlite:////a.db"
    assert SweepStore.of(home, "sqlite:////b.db", environ=named).url == "sqlite:////b.db"
    assert SweepStore.of(home, environ={}).url.endswith("sweeps/studies.db")


def test_a_study_of_another_program_says_so(store: SweepStore, make_sweep: MakeSweep) -> None:
    make_sweep()
    optuna.create_study(storage=store.url, study_name="strange")
    with pytest.raises(SweepError, match="another program"):
        _ = store.get("strange").definition


def test_foreign_and_damaged_studies_are_told_and_hide_no_sweep(
    store: SweepStore, make_sweep: MakeSweep
) -> None:
    values = make_sweep("first").definition.to_dict()
    optuna.create_study(storage=store.url, study_name="strange")
    newer = optuna.create_study(storage=store.url, study_name="newer")
    base = {**values["base"], "architecture": "of a later version"}
    newer.set_user_attr("ferlab_definition", {**values, "base": base})
    make_sweep("second")
    names, errors = store.usable()
    assert names == ["second", "first"]
    assert [str(error).partition(" has no usable")[0] for error in errors] == [
        "study 'newer'",
        "study 'strange'",
    ]


def test_extending_adds_trials(store: SweepStore, make_sweep: MakeSweep) -> None:
    sweep = make_sweep(num_trials=4)
    sweep.extend(3)
    assert store.get("search").definition == sweep.definition
    assert sweep.definition.num_trials == 7
    with pytest.raises(ConfigError, match="one trial or more"):
        sweep.extend(0)


def test_trials_are_plain_data(make_sweep: MakeSweep) -> None:
    sweep = make_sweep()
    add(sweep, State.COMPLETE, 2e-3, value=0.5, intermediate_values={1: 0.4, 2: 0.5})
    add(sweep, State.PRUNED, value=0.1, user_attrs={"note": "pruned: slow"})
    add(sweep, State.FAIL)
    finished, pruned, failed = sweep.trials
    assert (finished.number, finished.phase, finished.value) == (0, TrialPhase.FINISHED, 0.5)
    assert (finished.run, finished.params) == ("search-t000", {"learning_rate": 2e-3})
    assert finished.curve == {1: 0.4, 2: 0.5}
    assert (pruned.phase, pruned.value, pruned.note) == (TrialPhase.PRUNED, None, "pruned: slow")
    assert failed.phase is TrialPhase.FAILED


def test_a_trial_taken_up_again_is_one_trial(make_sweep: MakeSweep) -> None:
    sweep = make_sweep()
    add(sweep, State.FAIL, user_attrs={"origin": 0})
    study = sweep.study()
    retry(study, study.trials[0], most=None)
    add(sweep, State.COMPLETE, value=0.3)
    assert [(item.number, item.phase) for item in sweep.trials] == [
        (0, TrialPhase.WAITING),
        (2, TrialPhase.FINISHED),
    ]
    assert study.ask().suggest_float("learning_rate", 1e-4, 1e-2, log=True) == 1e-3
    assert sweep.trials[0].run == "search-t000"


def test_a_trial_that_keeps_killing_workers_is_given_up(make_sweep: MakeSweep) -> None:
    sweep = make_sweep()
    add(sweep, State.FAIL, user_attrs={"origin": 0})
    study = sweep.study()
    for _ in range(5):
        last = study.trials[-1]
        if last.state is State.WAITING:
            trial = study.ask()
            study.tell(trial, state=State.FAIL)
        retry(study, study.trials[-1], most=2)
    assert len(study.trials) == 3
    assert [item.phase for item in sweep.trials] == [TrialPhase.FAILED]


@pytest.mark.parametrize(
    ("host", "pid", "phase"),
    [
        (platform.node(), os.getpid(), TrialPhase.RUNNING),
        (platform.node(), NOBODY, TrialPhase.WAITING),
        ("elsewhere", NOBODY, TrialPhase.RUNNING),
    ],
    # Not the values: they differ between the processes that share the tests.
    ids=["alive here", "dead here", "elsewhere"],
)
def test_a_killed_worker_of_this_computer_is_seen(
    make_sweep: MakeSweep, host: str, pid: int, phase: TrialPhase
) -> None:
    sweep = make_sweep()
    trial = sweep.study().ask()
    started = psutil.Process().create_time()
    for key, value in ((trials.HOST, host), (trials.PID, pid), (trials.PROCESS_STARTED, started)):
        trial.set_user_attr(key, value)
    assert [item.phase for item in sweep.trials] == [phase]


@pytest.mark.parametrize(("metric", "winner"), [("val_accuracy", 1), ("val_loss", 0)])
def test_best_depends_on_the_metric(make_sweep: MakeSweep, metric: str, winner: int) -> None:
    sweep = make_sweep(metric=metric)
    assert best(sweep.definition, sweep.trials) is None
    for value in (0.2, 0.9, 0.9):
        add(sweep, State.COMPLETE, value=value)
    add(sweep, State.PRUNED, value=9.0)
    found = best(sweep.definition, sweep.trials)
    assert found is not None
    assert found.number == winner


def test_importance_is_that_of_the_setting_that_decides(make_sweep: MakeSweep) -> None:
    sweep = make_sweep()
    space = {"learning_rate": RATE, "dropout": optuna.distributions.FloatDistribution(0.0, 0.6)}
    for number in range(12):
        assert sweep.importances() == {} or number >= 4
        params = {"learning_rate": 1e-4 * 1.45**number, "dropout": 0.05 * (number * 7 % 12)}
        sweep.study().add_trial(
            optuna.create_trial(params=params, distributions=space, value=number / 12)
        )
    shares = sweep.importances()
    assert list(shares) == ["learning_rate", "dropout"]
    assert sum(shares.values()) == pytest.approx(1)
