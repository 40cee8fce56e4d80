from collections.abc import Callable

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.runs import RunStore
from tests.served_models import bar_faces, make_model

Command = Callable[..., int]


@pytest.fixture
def runs(home: Home) -> Dataset:
    """A dataset and two runs that were trained on it."""
    labels = np.arange(70, dtype=np.uint8) % 7
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(
            bar_faces(labels), labels, np.repeat(np.arange(3, dtype=np.uint8), [28, 21, 21])
        )
        writer.finish(title="bars", source="test", kind="test", synthetic=True)
    dataset = store.open("bars")
    data = {"name": "bars", "synthetic": True, "fingerprint": dataset.meta.fingerprint}
    for name, gain in (("keen", 0.05), ("timid", 0.01)):
        folder = RunStore(home.runs).create({}, name=name).folder
        for path in make_model(home.root / name, gain=gain, name=name, dataset=data).iterdir():
            path.replace(folder / path.name)
    return dataset


@pytest.mark.usefixtures("runs")
def test_saves_shows_the_gain_and_activates(
    command: Command, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("ensemble", "both", "keen", "timid", "--tta", "flip", "--activate") == 0
    shown = capsys.readouterr().out
    assert "On validation" in shown
    assert "On test" in shown
    assert "accuracy against" in shown
    catalog = ModelCatalog(home)
    active = catalog.active()
    assert active == catalog.resolve("both")
    assert active is not None
    assert active.contract().training["views"] == "flip"
    assert active.contract().synthetic
    assert command("evaluate", "both") == 0


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["both", "keen"], "2 members or more"),
        (["keen", "keen", "timid"], "a run or model named 'keen' already"),
        (["both", "keen", "gone"], "no model 'gone'"),
    ],
)
def test_mistake_is_one_line(
    command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert command("ensemble", *arguments) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
