"""The charts show the numbers they were given."""

import numpy as np
import pytest

from app.dataset_page import charts
from pipeline.dataset.embedding import ImageMap

COUNTS = {
    "train": [10, 0, 20, 30, 0, 0, 40],
    "validation": [1, 2, 3, 4, 5, 6, 7],
    "test": [0, 0, 0, 0, 0, 0, 0],
}


def bars(figure) -> list[list[float]]:
    """The values of the bars that stand for something; the others are the legend's."""
    return [list(bar.y) for bar in figure.data if bar.showlegend is False]


class TestBalance:
    def test_counts(self) -> None:
        figure = charts.balance(COUNTS, grouped=True, shares=False)
        assert bars(figure) == list(COUNTS.values())
        assert figure.layout.barmode == "group"
        # The keys of the legend take no room between the bars.
        assert [bar.offsetgroup for bar in figure.data[::2]] == [
            bar.offsetgroup for bar in figure.data[1::2]
        ]

    def test_grouped_shares_are_of_each_split(self) -> None:
        train, validation, test = bars(charts.balance(COUNTS, grouped=True, shares=True))
        assert train[3] == pytest.approx(0.3)
        assert sum(validation) == pytest.approx(1)
        assert test == [0] * 7

    def test_stacked_shares_are_of_all(self) -> None:
        values = bars(charts.balance(COUNTS, grouped=False, shares=True))
        assert np.sum(values) == pytest.approx(1)


def test_resampling_sets_both_counts_side_by_side() -> None:
    before, after = [7, 6, 5, 4, 3, 2, 1], [1] * 7
    figure = charts.resampling(before, after)
    assert bars(figure) == [before, after]
    assert figure.layout.barmode == "group"
    assert [bar.offsetgroup for bar in figure.data] == ["Now", "Now", "Then", "Then"]


def test_grey_values_are_shares_of_the_chosen_classes() -> None:
    histograms = np.zeros((7, 256), np.int64)
    histograms[2, 10], histograms[2, 20] = 3, 1
    figure = charts.grey_values(histograms, [2, 4])
    assert [line.name for line in figure.data] == ["Fear"]
    assert figure.data[0].y[10] == 0.75


def test_histogram_adds_up() -> None:
    picture = np.array([[0, 3], [4, 255]], np.uint8)
    figure = charts.histogram(picture)
    assert list(figure.data[0].y[:2]) == [0.5, 0.25]
    assert figure.data[0].y[63] == 0.25


def test_confusion_shows_shares_of_rows_and_every_number_once() -> None:
    matrix = np.zeros((7, 8), np.int64)
    matrix[0, 0], matrix[0, 7] = 30, 10
    figure = charts.confusion(matrix, [*charts.TITLES, "None"])
    heatmap, pale, strong = figure.data
    assert heatmap.z[0][0] == 0.75
    assert heatmap.z[1][0] == 0
    assert list(strong.text) == ["75 %"]
    assert len(pale.text) == 55
    assert "25 %" in pale.text


def test_map_draws_the_shown_images_under_their_own_number() -> None:
    points = np.arange(12, dtype=np.float32).reshape(6, 2)
    # A sample: images 1, 6, 7 and 8 of the dataset are not on the map.
    found = ImageMap(np.array([0, 2, 3, 4, 5, 9]), points, np.array([0.2, 0.1], np.float32))
    labels = np.array([0, 1, 0, 6, 0, 1, 3, 3, 3, 2], np.uint8)
    figure = charts.image_map(found, labels, np.array([0, 1, 2, 3, 5, 6]))
    drawn = {trace.name: list(trace.customdata) for trace in figure.data}
    assert drawn["Angry"] == [0, 2]
    assert drawn["Disgust"] == [5]
    assert drawn["Neutral"] == [3]
    assert not drawn["Happy"]
    assert list(figure.data[1].x) == [8]
    assert "20 %" in figure.layout.xaxis.title.text


def test_a_map_without_meaning_on_its_axes_gives_them_no_numbers() -> None:
    found = ImageMap(np.arange(2), np.eye(2, dtype=np.float32), np.empty(0, np.float32))
    figure = charts.image_map(found, np.zeros(2, np.uint8), np.arange(2))
    assert figure.layout.xaxis.title.text is None
    assert figure.layout.yaxis.showticklabels is False


def test_votes() -> None:
    figure = charts.votes(["a", "b"], [3, 7], ["#111111", "#222222"])
    assert list(figure.data[0].x) == [3, 7]
