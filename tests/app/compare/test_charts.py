from pathlib import Path
from typing import Any

import pytest

from app.compare import charts
from app.compare.charts import Effect
from app.compare.subjects import Subject
from pipeline.evaluation.paired import Difference
from pipeline.labels import NUM_EMOTIONS


def subject(name: str, accuracy: float | None, **config: Any) -> Subject:
    history = [
        {
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "val_loss": 2.2 / epoch,
            "val_accuracy": accuracy,
            "seconds": 90.0,
            "is_best": True,
        }
        for epoch in (1, 2)
    ]
    history = history if accuracy is not None else []
    return Subject(name, Path(name), "#123456", "square", config=config, history=history)


A, B, C = subject("a", 0.5, dropout=0.2), subject("b", 0.7, dropout=0.5), subject("c", None)


def test_curves_by_epoch_and_by_time() -> None:
    by_epoch = charts.curve([A, C], "loss", by_time=False).data
    assert [(trace.x, trace.y) for trace in by_epoch] == [
        ((1, 2), (2.0, 1.0)),
        ((1, 2), (2.2, 1.1)),
    ]
    assert [trace.line.dash for trace in by_epoch] == ["dot", "solid"]
    assert charts.curve([A], "loss", by_time=True).data[0].x == (1.5, 3.0)
    # There is no epoch 1.5, but there are half minutes.
    assert charts.curve([A], "loss", by_time=False).layout.xaxis.dtick == 1
    assert charts.curve([A], "loss", by_time=True).layout.xaxis.dtick is None
    # An epoch's rate holds from its beginning on.
    assert charts.curve([A], "learning_rate", by_time=True).data[0].x == (0.0, 1.5)
    (macro_f1,) = charts.curve([A], "macro_f1", by_time=False).data
    assert macro_f1.y == (None, None)


def test_curves_in_words() -> None:
    text = charts.curves_text([A, C, B])
    assert text == "Best validation accuracy: a 50.0 % in epoch 2, b 70.0 % in epoch 2."
    assert charts.curves_text([C]) == "Best validation accuracy: none yet."


def test_parallel_coordinates_order_values_and_scale_the_result() -> None:
    middle = subject("m", 0.55, dropout=0.3)
    figure = charts.parallel([A, B, middle], ["dropout"])
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert lines["a"].x == pytest.approx((0, 0), abs=0.02)
    assert lines["b"].x == pytest.approx((1, 1), abs=0.02)
    assert lines["m"].x == pytest.approx((0.5, 0.25), abs=0.02)
    assert list(lines["m"].customdata[0]) == ["Dropout", "0.3"]
    ticks = [trace.text for trace in figure.data if trace.mode == "text"]
    assert ticks == [("0.2", "0.3", "0.5"), ("50.0 %", "70.0 %")]


def test_parallel_coordinates_without_a_difference_stay_in_the_middle() -> None:
    figure = charts.parallel([A, subject("d", 0.5, dropout=0.2)], ["dropout"])
    assert figure.data[-1].x == pytest.approx((0.5, 0.5), abs=0.02)


def test_long_words_below_an_axis_are_cut_off_and_whole_at_the_points() -> None:
    long = "a-run-with-a-very-long-name"
    runs = [subject("x", 0.5, start_from=long), subject("y", 0.6, start_from="short")]
    figure = charts.parallel(runs, ["start_from"])
    assert figure.data[1].text == ("a-run-with-a-ve…", "short")
    assert figure.data[-2].customdata[0][1] == long


def test_trade_off_marks_the_front() -> None:
    cheap, good, beaten = subject("cheap", 0.5), subject("good", 0.7), subject("beaten", 0.4)
    figure = charts.trade_off([good, cheap, beaten, C], [9, 1, 2, 3], "Cost", " ms")
    front, *points = figure.data
    assert (front.x, front.y) == ((1, 9), (50, 70))
    assert [(point.name, point.marker.symbol) for point in points] == [
        ("good", "square"),
        ("cheap", "square"),
        ("beaten", "square-open"),
    ]


def test_effects_in_percentage_points() -> None:
    difference = Difference(0.5, 0.52, 0.02, (-0.01, 0.05))
    sure, unsure = (
        Effect("Accuracy", name, difference, tested, "#123456", "square")
        for name, tested in (("a", True), ("b", False))
    )
    first, second = charts.effects([sure, unsure]).data
    assert first.x == pytest.approx([2.0])
    assert (first.error_x.array[0], first.error_x.arrayminus[0]) == pytest.approx((3.0, 3.0))
    assert (first.marker.symbol, second.marker.symbol) == ("square", "square-open")
    assert first.y[0] < 0 < second.y[0]


def test_two_answers_name_the_label() -> None:
    bars = [("a", "#123456", [1.0, *[0.0] * 6]), ("b", "#654321", [0.0, 1.0, *[0.0] * 5])]
    first, second = charts.two_answers(bars, "Happy").data
    assert (first.x[0], second.x[1]) == (100, 100)
    assert first.y[3] == "<b>Happy</b>"
    assert len(first.y) == NUM_EMOTIONS
