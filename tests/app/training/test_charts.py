from typing import Any

from app.training import charts

HISTORY: list[dict[str, Any]] = [
    {
        "epoch": epoch,
        "loss": 2.0 / epoch,
        "accuracy": 0.2 * epoch,
        "val_loss": 2.1 / epoch,
        "val_accuracy": value,
        "learning_rate": 0.01 / epoch,
        "is_best": best,
    }
    for epoch, value, best in ((1, 0.3, True), (2, 0.45, True), (3, 0.4, False))
]


def test_accuracy_is_in_per_cent_and_marks_the_kept_epoch() -> None:
    train, validation, kept = charts.accuracy(HISTORY).data
    assert [round(value) for value in train.y] == [20, 40, 60]
    assert list(validation.y) == [30, 45, 40]
    assert (kept.x, kept.y) == ((2,), (45,))


def test_loss_and_rate_follow_the_history() -> None:
    train, validation = charts.loss(HISTORY).data
    assert train.y == (2.0, 1.0, 2.0 / 3)
    assert validation.y == (2.1, 1.05, 0.7000000000000001)
    (rate,) = charts.learning_rate(HISTORY).data
    assert rate.x == (1, 2, 3)
    assert rate.y == (0.01, 0.005, 0.01 / 3)


def test_before_the_first_epoch_there_is_nothing_to_mark() -> None:
    assert len(charts.accuracy([]).data) == 2
    assert charts.best_epoch([]) is None
    assert charts.curves_text([]) == "No epoch has ended yet."


def test_the_text_names_the_last_and_the_best() -> None:
    text = charts.curves_text(HISTORY)
    assert "validation accuracy 40.0 %" in text
    assert "best in epoch 2: 45.0 %" in text
