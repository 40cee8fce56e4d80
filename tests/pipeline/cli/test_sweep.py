import json
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest

from pipeline.dataset import DatasetStore
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training import arithmetic
from pipeline.training.config import TrainingConfig
from pipeline.training.presets import PRESETS
from pipeline.training.sweep import SweepField, SweepStore

Command = Callable[..., int]
RATE = "learning_rate:1e-4:1e-1:log"


@pytest.fixture(autouse=True)
def dataset(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERLAB_SWEEPS", raising=False)
    with DatasetStore(home.data).writer("noise") as writer:
        images = np.random.default_rng(0).integers(0, 256, (21, 48, 48), np.uint8)
        splits = np.repeat(np.arange(3, dtype=np.uint8), 7)
        writer.append(images, np.arange(21, dtype=np.uint8) % 7, splits)
        writer.finish(title="Noise", source="test", kind="test")


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    return lambda: json.loads(capsys.readouterr().out)


def test_arithmetic_that_the_processor_lacks_is_told_and_can_be_left(
    command: Command,
    home: Home,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arithmetic, "has_bfloat16", lambda: False)
    options = ["--base", "best_cpu", "--field", RATE]
    assert command("sweep", "create", "slow", *options) == 0
    assert "imitates them" in capsys.readouterr().err
    assert command("sweep", "create", "fast", *options, "--precision", "float32") == 0
    assert not capsys.readouterr().err
    assert SweepStore.of(home).get("fast").definition.base.precision == "float32"
    # Where both are tried, nothing has to be told.
    assert command("sweep", "create", "both", *options, "--field", "precision") == 0
    assert not capsys.readouterr().err


def test_makes_shows_extends_and_deletes(
    command: Command, home: Home, read: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--base", "best_cpu", "--epochs", "5", "--trials", "3", "--metric", "val_loss"]
    fields = ["--field", RATE, "--field", "architecture=vgg,seed_cnn"]
    assert command("sweep", "create", "first", *options, *fields, "--no-pruning") == 0
    definition = SweepStore.of(home).get("first").definition
    best_cpu = next(preset.config for preset in PRESETS if preset.name == "best_cpu")
    assert definition.base.to_dict() == {**best_cpu.to_dict(), "epochs": 5}
    assert definition.fields == (
        SweepField("learning_rate", 1e-4, 1e-1, log=True),
        SweepField("architecture", choices=("vgg", "seed_cnn")),
    )
    assert (definition.metric, definition.num_trials, definition.pruning) == ("val_loss", 3, False)
    SweepStore.of(home).get("first").study().add_trial(
        optuna.create_trial(
            params={"learning_rate": 1e-2},
            distributions={"learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-1)},
            value=1.25,
        )
    )
    capsys.readouterr()
    assert command("sweep", "list", "--json") == 0
    (row,) = read()
    assert (row["sweep"], row["finished"], row["best"]) == ("first", 1, 1.25)
    assert row["best_run"] == "first-t000"
    assert command("sweep", "extend", "first", "--trials", "4") == 0
    capsys.readouterr()
    assert command("sweep", "show", "first", "--json") == 0
    shown = read()
    assert shown["definition"]["num_trials"] == 7
    assert shown["trials"][0]["params"] == {"learning_rate": 0.01}
    for words in (["list"], ["show", "first"]):
        assert command("sweep", *words) == 0
        assert "first" in capsys.readouterr().out
    assert command("sweep", "delete", "first", "--yes") == 0
    assert SweepStore.of(home).names() == []


def test_a_run_can_be_the_base(command: Command, home: Home) -> None:
    config = TrainingConfig(dropout=0.25, epochs=3)
    stored = {**config.to_dict(), "dataset": "noise", "dataset_fingerprint": "ab"}
    RunStore(home.runs).create(stored, name="old")
    assert command("sweep", "create", "next", "--base", "old", "--field", "width") == 0
    assert SweepStore.of(home).get("next").definition.base == config


def test_a_study_of_another_program_does_not_hide_the_sweeps(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("sweep", "create", "mine", "--field", "dropout") == 0
    optuna.create_study(storage=SweepStore.of(home).url, study_name="strange")
    capsys.readouterr()
    assert command("sweep", "list", "--json") == 0
    said = capsys.readouterr()
    assert [row["sweep"] for row in json.loads(said.out)] == ["mine"]
    assert "warning: study 'strange' has no usable definition" in said.err


def test_the_name_of_a_deleted_sweep_whose_runs_stay_is_refused(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    RunStore(home.runs).create({}, name="old-t000")
    assert command("sweep", "create", "old", "--field", "dropout") == 1
    assert "runs of an earlier sweep 'old' are still here" in capsys.readouterr().err
    assert SweepStore.of(home).names() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "x", "--field", "dropout:0:2"], "dropout must go from"),
        (["create", "x", "--field", "dropout", "--base", "none"], "no preset or run 'none'"),
        (["create", "x", "--field", "dropout", "--dataset", "none"], "no dataset named 'none'"),
        (["create", "x", "--field", "dropout", "--trials", "0"], "must be in [1, 10000]"),
        (["create", "X", "--field", "dropout"], "cannot name a sweep"),
        (["worker", "--study", "x"], "no sweep 'x'"),
        (["show", "x", "--storage", "postgresql://me:secret@localhost/y"], "psycopg"),
        (["delete", "x", "--yes"], "no sweep 'x'"),
    ],
)
def test_mistake_is_one_line(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    assert command("sweep", *arguments) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert message in error
    assert "secret" not in error
    assert "\n" not in error
    assert SweepStore.of(home).names() == []
