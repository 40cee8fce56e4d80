import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import OverlayStore, exclude, relabel
from pipeline.evaluation import EvaluationReport
from pipeline.home import Home
from pipeline.runs import RunStore
from tests.served_models import bar_faces, make_model

Command = Callable[..., int]


def store_bars(home: Home, name: str, seed: int) -> Dataset:
    labels = np.arange(70, dtype=np.uint8) % 7
    store = DatasetStore(home.data)
    with store.writer(name) as writer:
        writer.append(
            bar_faces(labels, seed), labels, np.repeat(np.arange(3, dtype=np.uint8), [28, 21, 21])
        )
        writer.finish(title=name, source="test", kind="test", synthetic=True)
    return store.open(name)


@pytest.fixture
def trained_on(home: Home) -> Dataset:
    """Two datasets and a run, which was trained on the second."""
    store_bars(home, "a", seed=1)
    dataset = store_bars(home, "b", seed=2)
    folder = RunStore(home.runs).create({}, name="bars-2025").folder
    trained = {"name": "b", "synthetic": True, "fingerprint": dataset.meta.fingerprint}
    for path in make_model(home.root / "made", name="bars-2025", dataset=trained).iterdir():
        path.replace(folder / path.name)
    return dataset


def test_json_on_standard_output_is_the_report(
    command: Command, trained_on: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "bars", "--split", "validation", "--json") == 0
    report = EvaluationReport.from_dict(json.loads(capsys.readouterr().out))
    assert (report.model, report.split, report.num_samples) == ("bars-2025", "validation", 21)
    assert (report.accuracy, report.tta) == (1.0, "none")
    assert report.dataset.name == "b"
    assert report.dataset.fingerprint == trained_on.meta.fingerprint


def test_edits_are_scored_with_on_request(
    command: Command, home: Home, trained_on: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    """Relabelling one test image wrongly and leaving another out costs a known share."""
    overlays = OverlayStore(home.data)
    image, other = trained_on.indices(Split.TEST)[:2]
    wrong = (int(trained_on.labels[image]) + 1) % 7
    overlays.add(trained_on, relabel([image], wrong), based_on=0)
    overlays.add(trained_on, exclude([other]), based_on=1)

    def report(*edits: str) -> EvaluationReport:
        assert command("evaluate", "bars", *edits, "--json") == 0
        return EvaluationReport.from_dict(json.loads(capsys.readouterr().out))

    official, first, latest = report(), report("--edits", "1"), report("--edits", "latest")
    assert (official.num_samples, official.accuracy) == (21, 1.0)
    assert official.dataset.overlay_version is None
    assert official.dataset.fingerprint == trained_on.meta.fingerprint
    assert (first.num_samples, first.accuracy) == (21, pytest.approx(20 / 21))
    assert (latest.num_samples, latest.accuracy) == (20, pytest.approx(19 / 20))
    assert latest.dataset.overlay_version == 2
    assert latest.dataset.fingerprint != official.dataset.fingerprint
    assert command("evaluate", "bars", "--edits", "1") == 0
    assert "on b, test split with version 1 of the edits" in capsys.readouterr().out


def test_a_dataset_without_edits_says_so(
    command: Command, trained_on: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("evaluate", "bars", "--edits", "latest") == 0
    assert "b has no edits." in capsys.readouterr().err


@pytest.mark.usefixtures("trained_on")
def test_table_for_people_and_json_for_machines(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--dataset", "a", "--tta", "flip"]
    assert command("evaluate", "bars-2025", *arguments) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "bars-2025 on a, test split (synthetic faces)" in shown.out
    assert "100.00% (95 %: 100.00% to 100.00%)" in shown.out
    assert "Confusion (rows true, columns predicted)" in shown.out
    assert "surprise" in shown.out
    assert command("evaluate", "bars-2025", *arguments, "--json") == 0
    report = EvaluationReport.from_dict(json.loads(capsys.readouterr().out))
    assert (report.dataset.name, report.split, report.tta) == ("a", "test", "flip")


def test_model_trained_elsewhere_needs_a_choice_of_dataset(
    command: Command, home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(make_model(tmp_path / "model"))
    store_bars(home, "a", seed=1)
    # Not even the only one there is would be what the figures seem to be of.
    assert command("evaluate", model) == 1
    assert "or name another with --dataset (there: a)" in capsys.readouterr().err
    assert command("evaluate", model, "--dataset", "a", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dataset"]["name"] == "a"


@pytest.mark.usefixtures("trained_on")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone"], "no model 'gone'"),
        (["bars", "--dataset", "gone"], "no dataset named 'gone'"),
        (["bars", "--edits", "1"], "dataset 'b': the edits have versions 0 to 0, got version 1"),
    ],
)
def test_mistake_is_one_line(
    command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert command("evaluate", *arguments) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert message in error
    assert "\n" not in error


@pytest.mark.usefixtures("trained_on")
@pytest.mark.parametrize("option", [["--split", "exam"], ["--tta", "five"]])
def test_unknown_choice_is_a_usage_error(command: Command, option: list[str]) -> None:
    assert command("evaluate", "bars", *option) == 2
