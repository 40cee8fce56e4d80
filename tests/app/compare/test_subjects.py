from pathlib import Path

import pytest

from app.compare import subjects
from app.compare.subjects import Subject
from app.compare.training import figures
from pipeline.dataset import Dataset
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog, ModelEntry
from pipeline.runs import RunStore
from tests.compared_runs import store_bars, store_run
from tests.served_models import make_model


@pytest.fixture
def bars(home: Home) -> Dataset:
    return store_bars(home)


def read(home: Home, *names: str) -> list[Subject]:
    runs = {run.id: run for run in RunStore(home.runs).list()}
    catalog = ModelCatalog(home, shipped=home.root / "shipped")
    return subjects.read(names, runs, {entry.name: entry for entry in catalog.list()})


def test_a_run_and_a_shipped_model(home: Home, bars: Dataset) -> None:
    store_run(home, "mine", bars, architecture="vgg", blind_to=(0,))
    shipped = {"name": "bars", "fingerprint": bars.meta.fingerprint}
    training = {"architecture": "seed_cnn", "dropout": 0.3}
    make_model(home.root / "shipped" / "theirs", training=training, dataset=shipped)
    mine, theirs = read(home, "mine", "theirs")
    assert (mine.network, mine.seconds) == ("VGG", 180)
    assert mine.val_accuracy == pytest.approx(6 / 7)
    assert (mine.parameters, mine.macs) == (1, 100)
    # Of an unknown network, and never trained here.
    assert (theirs.network, theirs.history) == ("dense", [])
    assert theirs.val_accuracy is None
    assert theirs.config["dropout"] == 0.3
    assert mine.data_fingerprint == theirs.data_fingerprint == bars.meta.fingerprint
    assert mine.color != theirs.color


def test_settings_that_differ_in_words(home: Home, bars: Dataset) -> None:
    store_run(home, "a", bars, dropout=0.25, flip=True, optimizer="sgd", seed=1)
    store_run(home, "b", bars, dropout=0.5, flip=False, optimizer="adam", seed=1)
    both = read(home, "a", "b")
    names = subjects.differing(both)
    assert set(names) == {"dropout", "flip", "optimizer"}
    assert {row.pop("setting"): row for row in subjects.setting_rows(both, names)} == {
        "Dropout": {"a": "0.25", "b": "0.5"},
        "Mirror": {"a": "On", "b": "Off"},
        "Optimizer": {"a": "SGD with Nesterov momentum", "b": "Adam"},
    }
    assert subjects.all_settings(both)[0] == "dataset"
    assert "dataset_fingerprint" not in subjects.all_settings(both)


def test_epochs_planned_and_done_are_told_apart(home: Home, bars: Dataset) -> None:
    store_run(home, "a", bars, epochs=4)
    store_run(home, "b", bars, epochs=9)
    both = read(home, "a", "b")
    assert subjects.setting_rows(both, ["epochs"]) == [
        {"setting": "Epochs at most", "a": "4", "b": "9"}
    ]
    assert {"Epochs done"} == {name for name in figures(both[0]) if "poch" in name}


def test_a_setting_that_one_does_not_know(home: Home, bars: Dataset) -> None:
    store_run(home, "a", bars)
    make_model(home.root / "shipped" / "old", dataset={"name": "bars"})
    both = read(home, "a", "old")
    assert "dropout" in subjects.differing(both)
    (row,) = subjects.setting_rows(both, ["dropout"])
    assert row["old"] == "—"


def test_the_members_of_an_ensemble_are_named(home: Home, bars: Dataset) -> None:
    store_run(home, "a", bars)
    members = [{"name": name, "fingerprint": "f", "dataset": {}} for name in ("one", "two")]
    training = {"views": "flip", "members": members}
    make_model(home.root / "shipped" / "both", training=training, dataset={"name": "bars"})
    rows = subjects.setting_rows(read(home, "a", "both"), ["members"])
    assert rows == [{"setting": "Members", "a": "—", "both": "one, two"}]


def test_a_damaged_run_tells(home: Home, bars: Dataset) -> None:
    (store_run(home, "broken", bars).folder / "config.json").write_text("{")
    (found,) = read(home, "broken")
    assert "config.json is damaged" in found.trouble
    assert (found.history, found.contract) == ([], None)


def test_looks_are_enough_for_all(tmp_path: Path) -> None:
    names = [str(number) for number in range(subjects.MOST)]
    missing = {name: ModelEntry(name, tmp_path / name, "shipped") for name in names}
    many = subjects.read(names, {}, missing)
    assert len({(item.color, item.symbol) for item in many}) == subjects.MOST
    assert all("holds no model" in item.trouble for item in many)
