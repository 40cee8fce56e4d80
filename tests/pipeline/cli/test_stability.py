import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.served_models import bar_pictures, make_model
from tests.videos import write_video

Command = Callable[..., int]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(make_model(tmp_path / "served" / "bars"))


def test_figures_for_people_and_machines(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = bar_pictures()
    flicker = str(write_video(tmp_path / "flicker.mkv", [first, first, first, second]))
    still = str(write_video(tmp_path / "still.mkv", [first] * 2))
    assert command("stability", model, flicker, still, "--detector", "none") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "Changes of bars from frame to frame" in shown.out
    assert "33.3%" in shown.out
    assert command("stability", model, flicker, still, "--detector", "none", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert [clip["file"] for clip in value] == ["flicker.mkv", "still.mkv"]
    assert value[0]["raw"]["changed"] == pytest.approx(1 / 3)
    assert value[0]["smoothed"]["changed"] == value[1]["raw"]["changed"] == 0
    assert value[1]["crops"]["num_faces"] == 1


def test_video_without_a_face_has_no_figures(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_video(tmp_path / "grey.mkv", [np.full((96, 96, 3), 99, np.uint8)] * 3))
    assert command("stability", model, path, "--json") == 0
    (value,) = json.loads(capsys.readouterr().out)
    assert value["num_tracks"] == value["raw"]["pairs"] == value["crops"]["num_faces"] == 0
    assert value["raw"]["changed"] is None
    assert command("stability", model, path) == 0
    assert "–" in capsys.readouterr().out


def test_mistake_is_one_line(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("stability", "gone", "clip.mp4") == 1
    assert capsys.readouterr().err.startswith("error: no model 'gone'")
    (tmp_path / "text.mp4").write_text("no video")
    assert command("stability", model, str(tmp_path / "text.mp4")) == 1
    assert capsys.readouterr().err.startswith("error: text.mp4")
