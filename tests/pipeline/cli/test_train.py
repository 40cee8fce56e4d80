import json
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.dataset import DatasetStore
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training.config import settings

Command = Callable[..., int]


@pytest.fixture
def dataset(home: Home) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(140, dtype=np.uint8) % 7
    splits = np.repeat(np.arange(3, dtype=np.uint8), [70, 35, 35])
    with DatasetStore(home.data).writer("noise") as writer:
        writer.append(rng.integers(0, 256, (140, 48, 48), np.uint8), labels, splits)
        writer.finish(title="Noise", source="test", kind="test")


def test_help_lists_every_setting_with_its_range(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "--help") == 0
    text = capsys.readouterr().out
    for name in settings():
        assert f"--{name.replace('_', '-')}" in text, name
    assert "Default: 0.001" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs must be in [1, 2000], got 0"),
        (["--architecture", "alexnet"], "alexnet"),
        (["--dataset", "none"], "no dataset named 'none'"),
        (["--resume", "gone"], "no run 'gone'"),
        (["--resume", "gone", "--epochs", "3"], "give no other setting"),
    ],
)
@pytest.mark.usefixtures("dataset")
def test_mistake_is_one_line_and_leaves_no_run(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    assert command("train", *arguments) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert message in error
    assert "\n" not in error
    assert RunStore(home.runs).list() == []


def test_without_a_dataset_it_says_how_to_get_one(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train") == 1
    assert "dataset demo" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("dataset")
def test_trains_then_shows_compares_and_deletes(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--architecture", "simple_cnn", "--width", "0.25", "--json"]
    assert command("train", "--name", "one", "--epochs", "1", *options) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["run"], result["status"]) == ("one", "finished")
    assert result["evaluation"]["test"]["num_samples"] == 35
    assert command("train", "--name", "two", "--epochs", "2", "--no-flip", *options) == 0
    capsys.readouterr()

    assert command("runs", "list", "--json") == 0
    assert [run["run"] for run in json.loads(capsys.readouterr().out)] == ["two", "one"]
    assert command("runs", "show", "two", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["history"]) == 2
    assert shown["config"]["flip"] is False
    assert command("runs", "compare", "one", "two", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["flip"], second["flip"]) == (True, False)
    assert "batch_size" not in first
    for words in (["list"], ["show", "one"], ["compare", "one", "two"]):
        assert command("runs", *words) == 0
    assert "simple_cnn" in capsys.readouterr().err

    assert command("runs", "delete", "one", "--yes") == 0
    assert [run.id for run in RunStore(home.runs).list()] == ["two"]
