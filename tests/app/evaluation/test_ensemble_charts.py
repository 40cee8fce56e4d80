from dataclasses import replace

import numpy as np
import pytest

from app.evaluation import ensemble_charts
from pipeline.evaluation import score_report
from pipeline.evaluation.comparison import Difference, PairComparison
from pipeline.evaluation.ensemble import NAME, Judgement, Step
from pipeline.evaluation.report import DatasetReference
from pipeline.evaluation.significance import McNemar

STEPS = (
    Step("a", ("a",), 1.2, 0.6, 2.0),
    Step("b", ("a", "b"), 1.0, 0.65, 5.0),
    Step("c", ("a", "b", "c"), 1.1, 0.64, 9.0),
)


@pytest.fixture
def found() -> Judgement:
    labels = np.arange(70) % 7
    report = score_report(
        np.eye(7, dtype=np.float32)[np.where(np.arange(70) < 14, 0, labels)],
        labels,
        clean_mask=np.ones(70, bool),
        model="m",
        dataset=DatasetReference("d", "0", False),
        split="test",
        latency_ms=2.0,
    )
    same = Difference(0.5, 0.5, 0.0, (0.0, 0.0))
    pair = PairComparison("a", NAME, same, same, same, None, McNemar(0, 0, 1.0), 1.0, {})
    return Judgement(
        {"a": report, "b": replace(report, accuracy=0.25, latency_ms=3.0)},
        replace(report, accuracy=0.9, accuracy_ci95=(0.85, 0.95), latency_ms=5.0),
        "a",
        0.8,
        pair,
    )


def test_gain_has_a_point_for_each_at_its_cost(found: Judgement) -> None:
    traces = {trace.name: trace for trace in ensemble_charts.gain(found).data}
    assert list(traces) == ["a", "b", NAME]
    assert [trace.x[0] for trace in traces.values()] == [2.0, 3.0, 5.0]
    assert traces["b"].y[0] == 25
    assert traces[NAME].error_y.array[0] == pytest.approx(5)
    assert traces[NAME].marker.symbol == "diamond"
    assert f"{NAME} 90.0 % in 5.0 ms" in ensemble_charts.gain_text(found)


def test_joining_marks_where_to_stop() -> None:
    (trace,) = ensemble_charts.joining(STEPS).data
    assert list(trace.x) == [2.0, 5.0, 9.0]
    assert list(trace.y) == [1.2, 1.0, 1.1]
    assert list(trace.marker.symbol) == ["circle", "diamond", "circle"]
    assert [text.strip() for text in trace.text] == ["a", "+ b", "+ c"]
    assert "a 1.200, b 1.000, c 1.100" in ensemble_charts.joining_text(STEPS)
