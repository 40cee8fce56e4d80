import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from pipeline.cli.recognize import recognize
from pipeline.errors import ConfigError, ImageFormatError, ModelLoadError
from pipeline.home import Home
from pipeline.labels import NAMES
from tests.served_models import make_model


@pytest.fixture
def model(home: Home, tmp_path: Path) -> Path:
    return make_model(tmp_path / "served" / "bars")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two portraits, one of them below, a picture of a cup, a text and a broken image."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.fromarray(skimage.data.astronaut()).save(folder / "astronaut.png")
    Image.fromarray(skimage.data.astronaut()).save(folder / "deeper" / "astronaut.jpg")
    Image.fromarray(skimage.data.coffee()).save(folder / "cup.png")
    (folder / "notes.txt").write_text("no image")
    (folder / "broken.JPG").write_bytes(b"\xff\xd8\xff\xe0 broken")
    return folder


@pytest.fixture
def run(model: Path) -> Callable[..., Result]:
    app = typer.Typer()
    app.command()(recognize)

    def run(*arguments: object) -> Result:
        words = ["--model", str(model), *map(str, arguments)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "200"})

    return run


def test_folder_to_json_csv_and_pictures(
    run: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run(photos, "--json", "--csv", out / "a.csv", "--annotated", out / "marked")
    assert result.exit_code == 1  # for the broken one
    entries = {
        str(Path(entry["file"]).relative_to(photos)): entry for entry in json.loads(result.stdout)
    }
    assert set(entries) == {"astronaut.png", "broken.JPG", "cup.png", "deeper/astronaut.jpg"}
    assert entries["cup.png"] == {"file": str(photos / "cup.png"), "faces": [], "error": None}
    assert entries["broken.JPG"]["faces"] == []
    assert entries["broken.JPG"]["error"].startswith("broken.JPG: ")
    (face,) = entries["astronaut.png"]["faces"]
    assert abs(face["x"] - 178) < 8
    assert tuple(face["scores"]) == NAMES

    with (out / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    row = next(row for row in rows if row["file"].endswith("astronaut.png"))
    assert int(row["x"]) == face["x"]
    assert float(row["happy"]) == face["scores"]["happy"]
    assert -1 <= float(row["valence"]) <= 1
    assert next(row for row in rows if "broken" in row["file"])["error"]

    pictures = sorted(path.name for path in (out / "marked").iterdir())
    assert len(pictures) == 3
    assert sum(name.endswith("-astronaut.png") for name in pictures) == 2
    marked = np.asarray(Image.open(out / "marked" / pictures[0]))
    original = skimage.data.astronaut()
    assert marked.shape == original.shape
    assert (marked != original).any()


def test_globs_and_repeated_files_count_once(run: Callable[..., Result], photos: Path) -> None:
    result = run(photos / "*.png", photos / "cup.png", photos / "**" / "cup.*", "--json")
    assert result.exit_code == 0
    files = [Path(entry["file"]).name for entry in json.loads(result.stdout)]
    assert files == ["astronaut.png", "cup.png"]


def test_named_file_is_read_whatever_its_extension(
    run: Callable[..., Result], photos: Path
) -> None:
    renamed = photos / "portrait.dat"
    (photos / "astronaut.png").rename(renamed)
    (entry,) = json.loads(run(renamed, "--json").stdout)
    assert len(entry["faces"]) == 1


def test_one_bad_file_does_not_stop_the_batch_and_is_told(
    run: Callable[..., Result], photos: Path
) -> None:
    result = run(photos / "lost.png", photos / "notes.txt", photos / "cup.png", "--json")
    assert result.exit_code == 1
    assert "2 of 3 files could not be read." in result.stderr
    errors = [entry["error"] for entry in json.loads(result.stdout)]
    assert "cannot be read" in errors[0]
    assert "not an image" in errors[1]
    assert errors[2] is None


@pytest.mark.parametrize("paths", [["broken.JPG", "notes.txt"], ["no-such-*.png"], ["empty"]])
def test_exit_code_when_nothing_could_be_processed(
    run: Callable[..., Result], photos: Path, paths: list[str]
) -> None:
    (photos / "empty").mkdir()
    assert run(*(photos / path for path in paths)).exit_code == 1


def test_a_dash_is_standard_output_for_rows_too(
    run: Callable[..., Result], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(photos / "astronaut.png", "--csv", "-")
    assert result.exit_code == 0
    (row,) = csv.DictReader(result.stdout.splitlines())
    assert row["file"].endswith("astronaut.png")
    assert not Path("-").exists()
    both = run(photos / "astronaut.png", "--csv", "-", "--json")
    assert isinstance(both.exception, ConfigError)


def test_detector_and_threshold_are_passed_on(run: Callable[..., Result], photos: Path) -> None:
    cup = photos / "cup.png"
    (entry,) = json.loads(run(cup, "--detector", "none", "--json").stdout)
    assert [entry["faces"][0][key] for key in "xywh"] == [0, 0, 600, 400]
    portrait = photos / "astronaut.png"
    (entry,) = json.loads(run(portrait, "--threshold", "0.99", "--json").stdout)
    assert entry["faces"] == []
    assert isinstance(run(portrait, "--threshold", "7").exception, ConfigError)


def test_table_for_people(run: Callable[..., Result], photos: Path) -> None:
    text = run(photos).stdout
    assert "no face found" in text
    assert "broken.JPG" in text


@pytest.mark.usefixtures("home")
def test_no_model_says_what_to_do(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.recognition.catalog.SHIPPED_MODELS", Path(os.devnull))
    app = typer.Typer()
    app.command()(recognize)
    result = CliRunner().invoke(app, [str(photos), "--model", "nothing-like-it"])
    assert isinstance(result.exception, ModelLoadError)


def test_a_folder_without_images_is_told(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty")
    assert isinstance(result.exception, ImageFormatError)
    assert "no image in" in str(result.exception)


def test_a_folder_as_the_output_is_refused_before_the_work(
    run: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    result = run(photos, "--csv", tmp_path)
    assert result.exit_code == 2
    assert "director" in result.output or "is a folder" in result.output
    assert "astronaut" not in result.output
