import numpy as np
import pytest

from app.evaluation import charts
from app.evaluation.charts import TITLES
from app.matrix_chart import shaded
from pipeline.evaluation.calibration import reliability
from pipeline.evaluation.confusion import Shares, shares
from pipeline.evaluation.curves import Curve, ScoreHistogram
from pipeline.labels import EMOTIONS
from pipeline.recognition.contract import OperatingPoint


@pytest.fixture
def matrix() -> np.ndarray:
    found = np.diag([10] * 7)
    found[2, 4] = 30
    return found


class TestConfusion:
    def test_each_cell_can_be_clicked_and_says_which_it_is(self, matrix: np.ndarray) -> None:
        order = [6, 4, 2, 0, 1, 3, 5]
        figure = charts.confusion(matrix, shares(matrix, Shares.TRUE), order)
        cells = figure.data[-1]
        assert len(cells.x) == 49
        place = list(zip(cells.y, cells.x, strict=True)).index(("Fear", "Sad"))
        assert list(cells.customdata[place]) == [2, 4, 30, 0.75]
        assert list(figure.data[0].y) == [TITLES[label] for label in order]

    def test_writes_counts_or_shares(self, matrix: np.ndarray) -> None:
        order = list(range(7))

        def words(figure) -> dict[tuple[str, str], str]:
            return {
                (row, column): text
                for trace in figure.data
                if trace.type == "scatter" and trace.mode == "text"
                for row, column, text in zip(trace.y, trace.x, trace.text, strict=True)
            }

        counts = words(charts.confusion(matrix, None, order))
        assert counts["Fear", "Sad"] == "30"
        of_predicted = shares(matrix, Shares.PREDICTED)
        assert words(charts.confusion(matrix, of_predicted, order))[
            "Sad", "Sad"
        ] == "25 %"  # fmt: skip
        assert len(counts) == 49

    def test_marks_the_chosen_cell(self, matrix: np.ndarray) -> None:
        order = [6, 4, 2, 0, 1, 3, 5]
        figure = charts.confusion(matrix, None, order, chosen=(2, 4))
        assert {(shape.x0, shape.y0) for shape in figure.layout.shapes} == {(0.5, 1.5)}
        assert not charts.confusion(matrix, None, order).layout.shapes


def test_strong_cells_are_written_in_white() -> None:
    figure = shaded(np.array([[0.1, 0.9]]), [["a", "b"]], rows=["r"], columns=["x", "y"])
    _, pale, strong = figure.data
    assert (list(pale.text), list(strong.text)) == (["a"], ["b"])
    assert pale.textfont.color is None
    assert strong.textfont.color == "#FFFFFF"


class TestCurves:
    def test_are_told_apart_by_more_than_colour(self) -> None:
        line = Curve(np.array([0.0, 1]), np.array([0.0, 1]), 0.5)
        figure = charts.curves({3: line, 4: line}, roc=True)
        _, happy, sad = figure.data
        assert happy.line.dash != sad.line.dash
        assert happy.name == "Happy 0.500"
        assert happy.line.color == EMOTIONS[3].color

    def test_a_single_one_is_held_against_a_guess(self) -> None:
        line = Curve(np.array([0.0, 1]), np.array([1.0, 0]), 0.5)
        alone = charts.curves({3: line}, roc=False, guess={3: 0.25})
        assert alone.layout.shapes[0].y0 == 0.25
        both = charts.curves({3: line, 4: line}, roc=False, guess={3: 0.25, 4: 0.1})
        assert not both.layout.shapes


def test_scores_of_a_class_and_of_the_others() -> None:
    edges = np.linspace(0, 1, 3)
    histogram = ScoreHistogram(edges, np.array([0.2, 0.8]), np.array([0.9, 0.1]))
    own, others = charts.scores(histogram, 3).data
    assert list(own.x) == [0.25, 0.75]
    assert (list(own.y), list(others.y)) == ([0.2, 0.8], [0.9, 0.1])


def test_reliability_leaves_out_empty_bins_and_counts_all() -> None:
    probabilities = np.full((4, 7), 0.02, np.float32)
    probabilities[:, 0] = 0.88
    bins = reliability(probabilities, np.array([0, 0, 0, 1]))
    perfect, line, bars = charts.reliability({"After": bins}).data
    assert list(perfect.x) == list(perfect.y) == [0, 1]
    assert list(line.y) == [0.75]
    assert list(line.x) == pytest.approx([0.88])
    assert sum(bars.y) == 4


def test_coverage_marks_the_threshold_and_leaves_out_what_answers_nothing() -> None:
    points = [OperatingPoint(0.0, 1.0, 0.6), OperatingPoint(0.5, 0.4, 0.9)]
    nothing = OperatingPoint(0.99, 0.0, None)
    line, star = charts.coverage([*points, nothing], points[1]).data
    assert list(line.x) == [1.0, 0.4]
    assert (star.x[0], star.y[0]) == (0.4, 0.9)
    assert len(charts.coverage(points, nothing).data) == 1
