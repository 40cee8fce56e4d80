import json
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.dataset import DatasetStore
from pipeline.evaluation.stress import StressReport
from pipeline.home import Home
from tests.served_models import bar_faces, make_model

Command = Callable[..., int]


@pytest.fixture
def model(home: Home) -> str:
    """A model, and the dataset that it is tried on."""
    labels = np.arange(42, dtype=np.uint8) % 7
    with DatasetStore(home.data).writer("bars") as writer:
        writer.append(bar_faces(labels), labels, np.repeat(np.arange(3, dtype=np.uint8), 14))
        writer.finish(title="Bars", source="test", kind="test", synthetic=True)
    return str(make_model(home.root / "model"))


def test_report_for_people_and_machines_is_computed_once(
    command: Command, home: Home, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("stress", model, "--dataset", "bars", "--split", "validation") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "bars under stress on bars, validation split (synthetic faces)" in shown.out
    assert "Mouth hidden" in shown.out
    (kept,) = (home.cache / "stress").iterdir()
    before = kept.stat().st_mtime_ns
    assert command("stress", model, "--dataset", "bars", "--split", "validation", "--json") == 0
    report = StressReport.from_dict(json.loads(capsys.readouterr().out))
    assert (report.split, report.num_samples, report.clean_accuracy) == ("validation", 14, 1.0)
    assert kept.stat().st_mtime_ns == before


def test_mistake_is_one_line(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("stress", "gone") == 1
    assert capsys.readouterr().err.startswith("error: no model 'gone'")
