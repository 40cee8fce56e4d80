import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home that the commands use."""
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def command(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `python -m pipeline` with arguments in this process and gives the exit code."""
    # One line an error, however narrow the terminal of the test is.
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
        try:
            main()
        except SystemExit as exit_:
            return int(exit_.code or 0)
        return 0

    return run
