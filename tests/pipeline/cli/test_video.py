import csv
import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data

from pipeline.home import Home
from tests.served_models import make_model
from tests.videos import write_video

Command = Callable[..., int]


@pytest.fixture
def model(home: Home, tmp_path: Path) -> str:
    return str(make_model(tmp_path / "served" / "bars"))


def test_results_lie_in_the_folder(command: Command, model: str, tmp_path: Path) -> None:
    source, out = write_video(tmp_path / "clip.mp4", audio="aac"), tmp_path / "out"
    assert command("video", str(source), "--out", str(out), "--model", model) == 0
    value = json.loads((out / "clip.json").read_text())
    assert (value["file"], value["model"], value["interval_ms"]) == ("clip.mp4", "bars", 500)
    assert len(value["samples"]) == 5
    with (out / "clip.csv").open(newline="") as file:
        assert [int(row["time_ms"]) for row in csv.DictReader(file)] == [0, 520, 1000, 1520, 1960]
    with av.open(str(out / "clip-marked.mp4")) as container:
        assert len(list(container.decode(video=0))) == 50
    pictures = sorted(path.name for path in (out / "clip-moments").iterdir())
    assert len(pictures) == len(value["moments"])


def test_options(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = write_video(tmp_path / "clip.mkv", 10), tmp_path / "out"
    options = ("--interval-ms", "0", "--no-annotated", "--detector", "none", "--model", model)
    assert command("video", str(source), "--out", str(out), *options) == 0
    assert not list(out.glob("*.mp4"))
    value = json.loads((out / "clip.json").read_text())
    assert len(value["samples"]) == 10
    assert value["samples"][0]["faces"][0]["w"] == 320
    assert "10 samples" in capsys.readouterr().out


def test_no_face_is_a_result(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [np.ascontiguousarray(skimage.data.coffee()[:240, :320])] * 3
    source = write_video(tmp_path / "cup.mp4", frames)
    assert command("video", str(source), "--out", str(tmp_path / "out"), "--model", model) == 0
    assert "no face found" in capsys.readouterr().out
    assert (tmp_path / "out" / "cup-marked.mp4").is_file()


def test_truncated_file_gives_what_is_there(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"movflags": "+faststart"}
    source = write_video(tmp_path / "a.mp4", 100, codec="mpeg4", options=options)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert command("video", str(source), "--out", str(tmp_path / "out"), "--model", model) == 0
    assert "incomplete" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "a.json").read_text())["notes"]


def test_nothing_could_be_processed(
    command: Command, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "text.mp4", tmp_path / "out"
    source.write_text("no video")
    assert command("video", str(source), "--out", str(out), "--model", model) == 1
    assert "error: text.mp4: not a video" in capsys.readouterr().err
    assert not out.exists()
