import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import resources
from app.recognition import RecognitionSettings, change_settings, load_settings
from app.state import remember
from pipeline.errors import ConfigError, ModelLoadError
from pipeline.home import Home
from pipeline.recognition.detectors import SsdDetector, YuNetDetector
from tests.served_models import make_model


@pytest.fixture
def served(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose only model is found as a shipped one."""
    monkeypatch.setenv("FERLAB_HOME", str(home.root))
    shipped = home.root / "shipped"
    make_model(shipped / "bars", unsure_below=0.4)
    monkeypatch.setattr(
        "app.resources.models", lambda: resources.ModelCatalog(home, shipped=shipped)
    )
    return home


def test_settings_outlive_the_session(home: Home) -> None:
    assert load_settings(home) == RecognitionSettings()
    change_settings(home, detector="ssd", unsure_below=0.5)
    change_settings(home, smoothing=1.5)
    assert load_settings(home) == RecognitionSettings("ssd", None, 0.5, 1.5)


def test_settings_and_the_active_dataset_keep_each_other(home: Home) -> None:
    change_settings(home, detector="none")
    remember(home, active_dataset="a")
    assert load_settings(home).detector == "none"


def test_tabs_that_change_two_settings_at_once_both_have_their_way(home: Home) -> None:
    values = [step / 100 for step in range(1, 21)]

    def change(name: str) -> None:
        for value in values:
            settings = change_settings(home, **{name: value})
            assert getattr(settings, name) == value

    names = ("smoothing", "unsure_below", "detection_threshold")
    with ThreadPoolExecutor() as pool:
        list(pool.map(change, names))
    assert load_settings(home) == RecognitionSettings(
        detection_threshold=0.2, unsure_below=0.2, smoothing=0.2
    )


@pytest.mark.parametrize(
    "stored",
    [[], {"detector": "eyes"}, {"smoothing": "much"}, {"unsure_below": 7}, {"detector": []}],
)
def test_senseless_settings_are_the_defaults(home: Home, stored: object) -> None:
    remember(home, recognition=stored)
    assert load_settings(home) == RecognitionSettings()


def test_settings_of_a_later_version_keep_what_is_known(home: Home) -> None:
    remember(home, recognition={"detector": "ssd", "mirror": True})
    assert load_settings(home) == RecognitionSettings("ssd")


@pytest.mark.parametrize(
    "change",
    [
        {"detector": "eyes"},
        {"detection_threshold": 1.0},
        {"unsure_below": -0.1},
        {"smoothing": 60.0},
    ],
)
def test_out_of_range_is_refused_and_not_remembered(home: Home, change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        change_settings(home, **change)
    assert load_settings(home) == RecognitionSettings()


def test_recognizer_is_as_chosen_and_loads_once(served: Home) -> None:
    first = resources.recognizer(RecognitionSettings())
    second = resources.recognizer(RecognitionSettings(unsure_below=0.9))
    assert isinstance(first.detector, YuNetDetector)
    assert first.classifier is second.classifier
    assert first.detector is second.detector
    other = resources.recognizer(RecognitionSettings("ssd"))
    assert isinstance(other.detector, SsdDetector)
    assert other.classifier is first.classifier


def test_replaced_model_is_loaded_anew(served: Home) -> None:
    first = resources.recognizer(RecognitionSettings("none")).classifier
    folder = first.folder
    shutil.rmtree(folder)
    make_model(folder, unsure_below=0.7)
    second = resources.recognizer(RecognitionSettings("none")).classifier
    assert second is not first
    assert second.contract.unsure_below == 0.7


def test_no_model_says_what_to_do(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = resources.ModelCatalog(home, shipped=tmp_path / "none")
    monkeypatch.setattr("app.resources.models", lambda: empty)
    with pytest.raises(ModelLoadError, match="train one"):
        resources.recognizer(RecognitionSettings())
