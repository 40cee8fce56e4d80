import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

import pytest

from pipeline.home import Home
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.recognizer import Recognizer
from tests.served_models import make_model


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home, beside an empty folder for temporary files."""
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return Home.from_environment()


@pytest.fixture
def everything(tmp_path: Path, home: Home) -> Callable[[], set[str]]:
    """All that is on disk below the test's folder, locks left out: they stay by design."""

    def listed() -> set[str]:
        found = (path for path in tmp_path.rglob("*") if not path.name.endswith(".lock"))
        return {os.fspath(path.relative_to(tmp_path)) for path in found}

    return listed


@pytest.fixture(scope="session")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """A tiny network behind the real face detector."""
    model = make_model(tmp_path_factory.mktemp("models") / "bars")
    return Recognizer(EmotionClassifier.load(model), YuNetDetector())


@pytest.fixture
def within() -> Callable[[float], AbstractContextManager[None]]:
    """Fails a block that takes longer; its kind of exception passes any `except Exception`."""

    @contextmanager
    def limit(seconds: float) -> Iterator[None]:
        def expired(number: int, frame: FrameType | None) -> None:
            pytest.fail(f"it hangs: not done after {seconds} seconds")

        before = signal.signal(signal.SIGALRM, expired)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return limit
