import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import requests

from pipeline.dataset import kaggle
from pipeline.errors import DatasetError


class UnauthenticatedError(Exception):
    """As kagglehub's own: not an error of the web."""


class DataCorruptionError(Exception):
    pass


class KaggleApiHTTPError(requests.HTTPError):
    pass


@pytest.fixture
def kagglehub(monkeypatch):
    """Stands in for the package; `answer` is called for each download."""
    package, exceptions = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
    exceptions.UnauthenticatedError = UnauthenticatedError
    exceptions.DataCorruptionError = DataCorruptionError
    package.exceptions = exceptions
    package.competition_download = lambda handle, path=None: package.answer(handle, path)
    monkeypatch.setitem(sys.modules, "kagglehub", package)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)
    return package


def fail(error):
    def answer(handle, path):
        raise error

    return answer


def refused(status):
    return KaggleApiHTTPError(
        f"{status} Client Error.\n\nmore", response=SimpleNamespace(status_code=status)
    )


def test_archive_of_the_challenge_is_fetched(kagglehub) -> None:
    told = []
    kagglehub.answer = lambda handle, path: f"/cache/{handle}/{path}"
    path = kaggle.download(lambda done, total, text="": told.append(text))
    assert path == Path(f"/cache/{kaggle.COMPETITION}/fer2013.tar.gz")
    assert "Kaggle" in told[0]


def test_missing_package_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DatasetError, match="pip install kagglehub"):
        kaggle.download()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UnauthenticatedError(), "no Kaggle token found: create one at https.*KAGGLE_API_TOKEN"),
        (refused(401), "does not accept the token"),
        (
            refused(403),
            "accept the rules at https://www.kaggle.com/competitions/challenges.*/rules",
        ),
        (refused(404), "no longer has fer2013.tar.gz"),
        (refused(503), r"an error \(status 503\): try again later"),
        (requests.HTTPError("odd"), r"an error \(status None\)"),
        (requests.ConnectionError("Max retries"), "cannot reach Kaggle: check the network"),
        (requests.Timeout("slow"), "cannot reach Kaggle"),
        (DataCorruptionError("The X-Goog-Hash\n\nabc"), "failed: The X-Goog-Hash$"),
        (ValueError("Invalid Kaggle credentials file"), "failed: Invalid Kaggle credentials"),
        (OSError(28, "No space left on device"), "failed: .*No space left"),
    ],
)
def test_failure_is_one_clear_line(kagglehub, error, message) -> None:
    kagglehub.answer = fail(error)
    with pytest.raises(DatasetError, match=message) as caught:
        kaggle.download()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


def test_program_errors_are_not_hidden(kagglehub) -> None:
    kagglehub.answer = fail(TypeError("a bug"))
    with pytest.raises(TypeError):
        kaggle.download()
