import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.overlay import OverlayStore, exclude, relabel
from pipeline.errors import TrainingError
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training import architectures, arithmetic
from pipeline.training.config import TrainingConfig, settings
from tests.compared_runs import store_bars, store_run

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
    words = text.replace("│", " ").split()
    assert "Default: ." not in " ".join(words)
    for name in architectures.names():
        assert {name, f"{name},", f"{name}."} & set(words), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs must be in [1, 2000], got 0"),
        (["--architecture", "alexnet"], "alexnet"),
        (["--dataset", "none"], "no dataset named 'none'"),
        (["--resume", "gone"], "no run 'gone'"),
        (["--resume", "gone", "--epochs", "3"], "give no other setting"),
        (["--resume", "gone", "--edits", "latest"], "give no other setting"),
        (["--edits", "3"], "'noise': the edits have versions 0 to 0, got version 3"),
        (["--edits", "newest"], "'none', 'latest' or the number of a version, got 'newest'"),
        (["--attention", "se"], "seed_cnn does not use attention"),
        (["--soft-labels", "0.5"], "dataset 'noise' has none: attach them"),
        (["--teacher", "nobody"], "no model 'nobody'"),
        (["--start-from", "nobody"], "no model 'nobody'"),
        (["--start-from", "fer-vgg"], "train one with architecture vgg_deep"),
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


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("jax", "KERAS_BACKEND is jax, which is not installed: get it with `python -m pip install"),
        ("mxnet", "KERAS_BACKEND must be one of tensorflow, jax, torch, got 'mxnet'"),
    ],
)
@pytest.mark.parametrize("words", [["train"], ["train", "--queue"], ["estimate"]])
@pytest.mark.usefixtures("dataset")
def test_a_backend_that_is_not_there_is_told_before_a_run_is_made(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, backend: str, message: str, words: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("pipeline.training.backends.find_spec", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert command(*words) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith(f"error: {message}")
    assert "\n" not in error
    assert RunStore(home.runs).list() == []


@pytest.mark.usefixtures("dataset")
def test_arithmetic_that_the_processor_lacks_is_told(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "has_bfloat16", lambda: False)
    monkeypatch.setattr("pipeline.training.worker.spawn", lambda run, home: 2**22 + 1)
    assert command("train", "--queue", "--json", "--precision", "mixed_bfloat16") == 0
    found = capsys.readouterr()
    assert "imitates them" in found.err
    assert json.loads(found.out)["place"] == 0


def test_a_finished_run_is_not_resumed_and_keras_not_loaded(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    store_run(home, "done", store_bars(home))
    assert command("train", "--resume", "done") == 1
    assert capsys.readouterr().err == (
        "error: run 'done' has finished; start a new one to train further\n"
    )


def test_without_a_dataset_it_says_how_to_get_one(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train") == 1
    assert "dataset demo" in capsys.readouterr().err


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.usefixtures("dataset")
def test_a_relabelled_image_is_learned_with_its_right_label(
    command: Command, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong label is planted and put right; a resume does not see what is edited later."""
    from pipeline.training.trainer import TrainingData

    store, overlays = DatasetStore(home.data), OverlayStore(home.data)
    noise = store.open("noise")
    right, labels = int(noise.labels[3]), np.array(noise.labels)
    labels[3] = (right + 1) % 7
    with store.writer("noise") as writer:
        writer.append(noise.images, labels, noise.split_codes)
        writer.finish(title="Noise", source="test", kind="test")
    planted = store.open("noise")
    overlays.add(planted, relabel([3], right), based_on=0)
    overlays.add(planted, exclude([4, 71]), based_on=1)

    learned: list[TrainingData] = []
    load = TrainingData.load

    def listen(dataset: Dataset, config: TrainingConfig, *teacher: Any) -> TrainingData:
        learned.append(load(dataset, config, *teacher))
        raise TrainingError("that is all there is to see")

    monkeypatch.setattr(TrainingData, "load", listen)
    options = ["--dataset", "noise", "--class-weights", "balanced"]
    for name, edits in (("plain", []), ("edited", ["--edits", "latest"]), ("v1", ["--edits", "1"])):
        assert command("train", "--name", name, *options, *edits) == 1
    overlays.add(planted, relabel([3], (right + 2) % 7), based_on=2)
    assert command("train", "--resume", "edited") == 1

    plain, edited, first, resumed = learned
    assert plain.targets[3].argmax() == (right + 1) % 7
    assert edited.targets[3].argmax() == right
    np.testing.assert_array_equal(edited.images[3], plain.images[3])
    assert (len(plain.images), len(edited.images), len(first.images)) == (70, 69, 70)
    assert (len(plain.validation_images), len(edited.validation_images)) == (35, 34)
    assert first.targets[3].argmax() == right
    np.testing.assert_array_equal(resumed.targets, edited.targets)
    np.testing.assert_array_equal(resumed.class_weights, edited.class_weights)
    runs = RunStore(home.runs)
    versions = [runs.get(name).config["overlay_version"] for name in ("plain", "edited", "v1")]
    assert versions == [None, 2, 1]


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
    assert "simple_cnn" in capsys.readouterr().out

    assert command("runs", "delete", "one", "--yes") == 0
    assert [run.id for run in RunStore(home.runs).list()] == ["two"]
