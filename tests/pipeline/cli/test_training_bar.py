import pytest

from pipeline.cli.training_bar import training_bar

BATCH = {
    "epoch": 2,
    "epochs": 9,
    "step": 3,
    "steps": 4,
    "loss": 1.25,
    "accuracy": 0.5,
    "images_per_second": 321.0,
    "eta_seconds": 61.0,
}


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


def test_packaging_is_not_mentioned_before_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    with training_bar() as bar:
        bar.on_batch(BATCH)
    shown = capsys.readouterr().err
    assert "epoch 2/9" in shown
    assert "321 images/s  at most 1:01 to go" in shown
    assert "ackaging" not in shown


def test_other_work_takes_the_place_of_the_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    with training_bar() as bar:
        bar.on_batch(BATCH)
        capsys.readouterr()
        bar.on_other_work(1, 4)
    shown = capsys.readouterr()
    drawn = [line for line in shown.err.splitlines() if "packaging" in line]
    assert "25%" in drawn[-1]
    assert "epoch" not in drawn[-1]
    assert shown.out == ""
