import os
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest

from pipeline.home import Home
from tests.served_models import make_model

pytestmark = pytest.mark.xdist_group("tensorflow")

Command = Callable[..., int]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    # The command sets this for its own process, which here is that of the tests.
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "tensorflow"))
    return str(make_model(tmp_path / "model"))


@pytest.mark.usefixtures("home")
def test_writes_a_file_that_runs(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "bars.onnx"
    assert command("export", model, "--format", "onnx", "--out", str(out)) == 0
    assert f"model as onnx: {out}" in capsys.readouterr().out
    (found,) = onnxruntime.InferenceSession(out).get_inputs()
    assert found.shape == ["n", 48, 48, 1]


def test_replaces_only_when_forced(
    command: Command, model: str, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home.root / "bars.onnx"
    out.write_text("mine")
    arguments = ["export", model, "--format", "onnx", "--out", str(out)]
    assert command(*arguments) == 1
    assert "exists already" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert command(*arguments, "--force") == 0
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "format", "out", "code", "message"),
    [
        ("gone", "onnx", "m.onnx", 1, "error: no model 'gone'"),
        ("", "onnx", "m.h5", 1, "ends in .onnx"),
        ("", "onyx", "m.onnx", 2, "onyx"),
    ],
)
def test_mistake_is_told(
    command: Command, model: str, home: Home, capsys: pytest.CaptureFixture[str],
    name: str, format: str, out: str, code: int, message: str,
) -> None:  # fmt: skip
    path = str(home.root / out)
    assert command("export", name or model, "--format", format, "--out", path) == code
    assert message in capsys.readouterr().err
    assert not Path(path).exists()
