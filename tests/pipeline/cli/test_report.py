from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.evaluation import evaluate
from pipeline.files import write_json
from pipeline.home import Home
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import EVALUATION
from pipeline.runs import RunStore
from tests.served_models import bar_faces, make_model

Command = Callable[..., int]


@pytest.fixture
def run(home: Home) -> Dataset:
    """A dataset and an evaluated run that was trained on it."""
    labels = np.arange(70, dtype=np.uint8) % 7
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(
            bar_faces(labels), labels, np.repeat(np.arange(3, dtype=np.uint8), [28, 21, 21])
        )
        writer.finish(title="Bars", source="test", kind="test")
    dataset = store.open("bars")
    data = {"name": "bars", "fingerprint": dataset.meta.fingerprint}
    folder = RunStore(home.runs).create({}, name="keen").folder
    for path in make_model(home.root / "made", gain=0.01, name="keen", dataset=data).iterdir():
        path.replace(folder / path.name)
    report = evaluate(EmotionClassifier.load(folder), dataset, Split.TEST)
    write_json(folder / EVALUATION, {"test": report.to_dict()})
    return dataset


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_writes_the_form_that_the_name_ends_in(command: Command, tmp_path: Path, name: str) -> None:
    out = tmp_path / "new" / name
    assert command("report", "keen", "--out", str(out), "--split", "validation") == 0
    text = out.read_text()
    assert text.startswith("<!DOCTYPE html>" if name.endswith(".html") else "# keen")
    assert "21 validation images of Bars" in text


def test_works_without_the_dataset(
    command: Command,
    home: Home,
    run: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    DatasetStore(home.data).delete(run.name)
    out = tmp_path / "report.html"
    assert command("report", "keen", "--out", str(out)) == 0
    assert "tells the stored figures" in capsys.readouterr().err
    assert "figures that were stored" in out.read_text()
    assert command("report", "keen", "--out", str(out), "--tta", "flip") == 1
    assert "what was stored with it" in capsys.readouterr().err


def test_another_ending_is_refused_before_the_work(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("report", "gone", "--out", str(tmp_path / "report.pdf")) == 1
    assert "ends in .html or .md, got 'report.pdf'" in capsys.readouterr().err
