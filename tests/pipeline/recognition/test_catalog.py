from pathlib import Path

import pytest

from pipeline.errors import ModelLoadError
from pipeline.home import Home
from pipeline.recognition.catalog import CHOICE, ModelCatalog
from pipeline.recognition.contract import CONTRACT
from pipeline.runs import RunStore
from tests.served_models import make_contract

REAL = {"name": "r", "synthetic": False}
DRAWN = {"name": "d", "synthetic": True}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def catalog(home: Home, tmp_path: Path) -> ModelCatalog:
    return ModelCatalog(home, tmp_path / "models")


def ship(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / "models" / name
    folder.mkdir(parents=True)
    make_contract(name=name).save(folder)
    return folder


def finish_run(home: Home, name: str, dataset: dict[str, object] = REAL, **config: object) -> Path:
    folder = RunStore(home.runs).create({"architecture": "seed_cnn", **config}, name=name).folder
    make_contract(name=name, dataset=dataset).save(folder)
    return folder


def test_lists_shipped_models_then_runs_the_newest_first(
    catalog: ModelCatalog, home: Home, tmp_path: Path
) -> None:
    assert catalog.list() == []
    finish_run(home, "old")
    finish_run(home, "new")
    RunStore(home.runs).create({}, name="untrained")
    ship(tmp_path, "b")
    ship(tmp_path, "a")
    (tmp_path / "models" / "notes").mkdir()
    found = [(entry.name, entry.origin) for entry in catalog.list()]
    assert found == [("a", "shipped"), ("b", "shipped"), ("new", "run"), ("old", "run")]


def test_ensembles_come_last_and_stand_in_for_runs(catalog: ModelCatalog, home: Home) -> None:
    finish_run(home, "drawn", DRAWN)
    for name, dataset in (("pair", REAL), (".pair.0.incoming", REAL)):
        folder = home.ensembles / name
        folder.mkdir(parents=True)
        make_contract(name=name, dataset=dataset).save(folder)
    found = [(entry.name, entry.origin) for entry in catalog.list()]
    assert found == [("drawn", "run"), ("pair", "ensemble")]
    assert catalog.resolve("pair").reference == "pair"
    active = catalog.active()
    assert active is not None
    assert active.name == "pair"
    finish_run(home, "real")
    active = catalog.active()
    assert active is not None
    assert active.name == "real"


def test_resolves_names_prefixes_and_paths(
    catalog: ModelCatalog, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finish_run(home, "seed-1")
    finish_run(home, "seed-10")
    shipped = ship(tmp_path, "best")
    assert catalog.resolve("seed-1").folder == run
    assert catalog.resolve("seed-10").name == "seed-10"
    assert catalog.resolve("best").folder == shipped
    for text in (str(run), f"{run}/model.onnx", f"{run}/model.keras", f"{run}/"):
        entry = catalog.resolve(text)
        assert (entry.folder, entry.name, entry.origin) == (run, "seed-1", "path")
    monkeypatch.chdir(home.runs)
    assert catalog.resolve("./seed-10").folder == home.runs / "seed-10"


def test_unique_prefix_is_enough(catalog: ModelCatalog, home: Home) -> None:
    finish_run(home, "vgg-2025")
    assert catalog.resolve("vgg").name == "vgg-2025"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gone", r"no model 'gone'.*\(there: best, seed-2, seed-1\)$"),
        ("", "no model ''"),
        ("seed", "is the beginning of 2 runs"),
        ("young", "run 'young' has no model to serve yet: it is queued"),
        ("/nowhere/model.onnx", r"holds no contract\.json"),
    ],
)
def test_what_cannot_be_resolved_is_told(
    catalog: ModelCatalog, home: Home, tmp_path: Path, text: str, message: str
) -> None:
    finish_run(home, "seed-1")
    finish_run(home, "seed-2")
    RunStore(home.runs).create({}, name="young")
    ship(tmp_path, "best")
    with pytest.raises(ModelLoadError, match=message):
        catalog.resolve(text)


def test_active_prefers_shipped_then_real_then_new(
    catalog: ModelCatalog, home: Home, tmp_path: Path
) -> None:
    def active() -> str | None:
        entry = catalog.active()
        return entry.name if entry else None

    assert active() is None
    finish_run(home, "drawn-1", DRAWN)
    finish_run(home, "drawn-2", DRAWN)
    assert active() == "drawn-2"
    finish_run(home, "real-1")
    finish_run(home, "real-2")
    finish_run(home, "drawn-3", DRAWN)
    assert active() == "real-2"
    ship(tmp_path, "z")
    ship(tmp_path, "y")
    assert active() == "y"


def test_trials_of_a_search_are_served_only_for_want_of_others(
    catalog: ModelCatalog, home: Home
) -> None:
    def active() -> str | None:
        entry = catalog.active()
        return entry.name if entry else None

    finish_run(home, "drawn", DRAWN)
    finish_run(home, "found-t000", sweep="found")
    assert active() == "found-t000"
    finish_run(home, "mine")
    finish_run(home, "found-t001", sweep="found")
    assert active() == "mine"


def test_choice_is_remembered_until_it_is_gone(
    catalog: ModelCatalog, home: Home, tmp_path: Path
) -> None:
    ship(tmp_path, "best")
    finish_run(home, "seed-1")
    chosen = catalog.activate("seed")
    assert chosen.name == "seed-1"
    assert ModelCatalog(home, tmp_path / "models").active() == chosen
    RunStore(home.runs).delete("seed-1")
    entry = catalog.active()
    assert entry is not None
    assert entry.name == "best"


def test_model_elsewhere_can_be_chosen(catalog: ModelCatalog, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    make_contract().save(elsewhere)
    assert catalog.activate(str(elsewhere)) == catalog.active()


def test_refused_choice_changes_nothing(catalog: ModelCatalog, home: Home) -> None:
    finish_run(home, "good")
    (finish_run(home, "bad") / CONTRACT).write_text("{")
    catalog.activate("good")
    with pytest.raises(ModelLoadError, match="damaged"):
        catalog.activate("bad")
    with pytest.raises(ModelLoadError, match="no model"):
        catalog.activate("gone")
    entry = catalog.active()
    assert entry is not None
    assert entry.name == "good"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}'])
def test_damaged_choice_and_damaged_model_are_passed_over(
    catalog: ModelCatalog, home: Home, text: str
) -> None:
    finish_run(home, "good")
    (finish_run(home, "newest") / CONTRACT).write_text("{")
    (home.root / CHOICE).write_text(text)
    entry = catalog.active()
    assert entry is not None
    assert entry.name == "good"
