import numpy as np
import pytest

from app.face_charts import (
    affect_plane,
    enlarged,
    heat_overlay,
    probability_bars,
    probability_text,
)
from pipeline.labels import EMOTIONS

SCORES = np.array([0.02, 0.0, 0.03, 0.6, 0.05, 0.25, 0.05], np.float32)


def test_bars_are_the_seven_in_order_and_the_first_stands_out() -> None:
    (bars,) = probability_bars(SCORES).data
    assert list(bars.x) == pytest.approx(100 * SCORES)
    assert bars.text[3] == "60 %"
    assert list(bars.marker.color) == [emotion.color for emotion in EMOTIONS]
    assert bars.y[3] == "<b>Happy</b>"
    assert bars.y[5] == "Surprise"


def test_threshold_is_drawn_where_it_is() -> None:
    (line,) = probability_bars(SCORES, unsure_below=0.4).layout.shapes
    assert line.x0 == line.x1 == pytest.approx(40)
    (words,) = probability_bars(SCORES, unsure_below=0.4).layout.annotations
    assert (words.x, words.y, words.yref) == (pytest.approx(40), 1, "y domain")
    assert words.text == "unsure below 40 %"
    assert not probability_bars(SCORES).layout.shapes


def test_words_begin_with_the_most_probable() -> None:
    assert probability_text(SCORES).startswith("Happy 60 %, Surprise 25 %, ")
    assert probability_text(SCORES).endswith("Disgust 0 %")


def test_plane_shows_the_point_among_the_emotions() -> None:
    emotions, point = affect_plane(0.3, -0.2).data
    assert list(emotions.text) == [emotion.title for emotion in EMOTIONS]
    assert (point.x[0], point.y[0]) == (0.3, -0.2)


def test_enlarged_pixels_are_squares() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)
    np.testing.assert_array_equal(
        enlarged(image, 5), [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    )


def test_overlay_is_yellow_where_it_speaks_for_and_violet_against() -> None:
    face = np.full((48, 48), 100, np.uint8)
    drops = np.zeros((48, 48), np.float32)
    drops[:12], drops[-12:] = 0.3, -0.3
    red, green, blue = np.moveaxis(heat_overlay(face, drops, 96).astype(int), 2, 0)
    assert heat_overlay(face, drops, 96).shape == (96, 96, 3)
    assert red[5, 50] > blue[5, 50] + 80
    assert green[5, 50] > blue[5, 50] + 80
    assert blue[90, 50] > green[90, 50] + 80
    assert red[48, 50] == green[48, 50] == blue[48, 50] == 100


def test_overlay_does_not_blow_up_small_changes() -> None:
    face = np.full((48, 48), 100, np.uint8)
    change = heat_overlay(face, np.full((48, 48), 0.005, np.float32), 48).astype(int) - 100
    assert 0 < np.abs(change).max() < 15
