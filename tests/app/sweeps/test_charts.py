from typing import Any

import pytest

from app.sweeps import charts
from app.training.fields import choice
from pipeline.training.config import TrainingConfig
from pipeline.training.sweep import SweepDefinition, SweepField, TrialPhase, TrialRecord

RATE = SweepField("learning_rate", 1e-4, 1e-2, log=True)
NETWORK = SweepField("architecture", choices=("vgg", "resnet"))
ATTENTION = SweepField("attention", choices=("se", "cbam"))
DROPOUT = SweepField("dropout", 0.0, 0.5)


def definition(**changes: Any) -> SweepDefinition:
    fields = (RATE, NETWORK, ATTENTION, DROPOUT)
    return SweepDefinition(TrainingConfig(), "faces", "ab", False, fields, **changes)


def trial(number: int, value: float | None, rate: float, **more: Any) -> TrialRecord:
    params = {"learning_rate": rate, "architecture": "vgg", "dropout": 0.25, **more}
    phase = TrialPhase.PRUNED if value is None else TrialPhase.FINISHED
    curve = {1: 0.1, 2: 0.2 if value is None else value}
    return TrialRecord(number, phase, f"s-t{number}", params=params, value=value, curve=curve)


TRIALS = [
    trial(0, 0.5, 1e-4),
    trial(1, None, 1e-2),
    trial(2, 0.4, 1e-3, architecture="resnet", attention="cbam"),
    trial(3, 0.6, 1e-3),
]


def test_history_shows_all_and_the_best_so_far() -> None:
    finished, pruned, best = charts.history(TRIALS, definition()).data
    assert (finished.x, finished.y) == ((0, 2, 3), (50, 40, 60))
    assert (pruned.x, pruned.y) == ((1,), (20,))
    assert best.y == (50, 50, 60)


def test_of_a_loss_the_least_is_best_and_it_is_no_share() -> None:
    finished, _, best = charts.history(TRIALS, definition(metric="val_loss")).data
    assert finished.y == (0.5, 0.4, 0.6)
    assert best.y == (0.5, 0.4, 0.4)


def test_curves_put_the_best_on_top_and_dot_the_pruned() -> None:
    lines = charts.curves(TRIALS, definition()).data
    assert [line.name for line in lines] == ["trial 0", "trial 1", "trial 2", "trial 3"]
    assert [line.line.dash for line in lines] == ["solid", "dot", "solid", "solid"]
    assert lines[-1].y == (10, 60)
    assert lines[-1].line.width > lines[0].line.width
    lowest = charts.curves(TRIALS, definition(metric="val_loss")).data
    assert lowest[-1].name == "trial 2"


def test_importance_stands_the_largest_on_top() -> None:
    (bars,) = charts.importance({"dropout": 0.2, "learning_rate": 0.8}).data
    assert list(bars.y) == ["Dropout", "Learning rate"]
    assert list(bars.x) == [20, 80]


@pytest.mark.parametrize(
    ("field", "x", "numbers"),
    [
        (RATE, (1e-4, 1e-3, 1e-3), (0, 2, 3)),
        (
            NETWORK,
            tuple(choice("architecture", name) for name in ("vgg", "resnet", "vgg")),
            (0, 2, 3),
        ),
        (ATTENTION, ("CBAM",), (2,)),
    ],
)
def test_slices_leave_out_who_did_not_use_it(
    field: SweepField, x: tuple[Any, ...], numbers: tuple[int, ...]
) -> None:
    figure = charts.slices(TRIALS, definition(), field)
    (dots,) = figure.data
    assert tuple(dots.customdata) == numbers
    assert dots.x == x
    assert (figure.layout.xaxis.type == "log") is field.log


def test_parallel_has_a_line_for_each_finished_trial_the_best_on_top() -> None:
    data = charts.parallel(TRIALS, definition()).data
    lines = [item for item in data if item.mode == "lines+markers"]
    assert [line.name for line in lines] == ["trial 2", "trial 0", "trial 3"]
    resnet, *_, best = lines
    assert resnet.x == pytest.approx((0.5, 1, 1, 0.5, 0))
    assert best.x[:2] == pytest.approx((0.5, 0))
    assert best.x[2] is None  # VGG has no attention
    assert best.x[3:] == pytest.approx((0.5, 1))
    assert list(best.customdata[4]) == ["Validation accuracy, %", "60"]
    lossy = charts.parallel(TRIALS, definition(metric="val_loss")).data
    assert lossy[-1].name == "trial 2"


def test_parallel_of_equal_trials_has_its_scores_in_the_middle() -> None:
    data = charts.parallel([TRIALS[0], trial(1, 0.5, 1e-3)], definition()).data
    assert data[-1].x[-1] == 0.5


def test_text_names_the_best_recipe() -> None:
    text = charts.text(TRIALS, definition())
    assert "3 trials have finished; the best is trial 3" in text
    assert "60: learning rate 0.001" in text
    assert charts.text([], definition()) == "No trial has finished yet."
