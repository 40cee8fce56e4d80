import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.labels import EMOTIONS
from pipeline.recognition.drawing import UNSURE_COLOR, annotate, caption
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction


def rgb(color: str) -> list[int]:
    return [int(color[at : at + 2], 16) for at in (1, 3, 5)]


def prediction(box: Box, emotion: int = 3, confidence: float = 0.7, unsure: bool = False):
    probabilities = np.full(7, (1 - confidence) / 6, np.float32)
    probabilities[emotion] = confidence
    return Prediction(
        box, 0.9, None, probabilities, 0.9 if unsure else 0.0, (), np.zeros((48, 48), np.uint8)
    )


def count(image: np.ndarray, color: str) -> int:
    return int((image == rgb(color)).all(axis=2).sum())


def test_caption_says_emotion_or_unsure() -> None:
    box = Box(0, 0, 9, 9)
    assert caption(prediction(box, 3, 0.714)) == "Happy 71 %"
    assert caption(prediction(box, 3, 0.714, unsure=True)) == "Unsure"


@pytest.mark.parametrize(
    ("side", "emotion"), [*((500, emotion) for emotion in range(7)), (60, 3), (2000, 3)]
)
def test_box_in_the_emotions_colour_around_the_face(side: int, emotion: int) -> None:
    image = np.full((side, side, 3), 128, np.uint8)
    box = Box(side * 0.3, side * 0.4, side * 0.3, side * 0.3)
    drawn = annotate(image, [prediction(box, emotion)])
    factor = len(drawn) // side
    assert count(drawn, EMOTIONS[emotion].color) > 2 * side * factor * 0.3
    x, y, w, h = (value * factor for value in box.rounded())
    assert (drawn[y : y + h, x : x + w] == 128).all(), "the face itself must stay free"


def test_image_given_stays_as_it_was() -> None:
    image = np.full((500, 500, 3), 128, np.uint8)
    annotate(image, [prediction(Box(100, 100, 50, 50))])
    assert (image == 128).all()


def test_small_images_grow_and_others_do_not() -> None:
    assert annotate(np.zeros((48, 48, 3), np.uint8), []).shape == (432, 432, 3)
    assert annotate(np.zeros((270, 480, 3), np.uint8), []).shape == (270, 480, 3)


def test_line_grows_with_the_image() -> None:
    def thickness(side: int) -> int:
        image = np.full((side, side, 3), 255, np.uint8)
        box = Box(side / 4, side / 4, side / 2, side / 2)
        middle = annotate(image, [prediction(box, 4)])[side // 2, : side // 2]
        return int((middle == rgb(EMOTIONS[4].color)).all(axis=1).sum())

    assert thickness(500) >= 1
    assert thickness(2000) >= 3 * thickness(500)


@pytest.mark.parametrize(
    "box",
    [Box(0, 0, 500, 500), Box(0, 0, 60, 60), Box(440, 0, 60, 60), Box(440, 440, 60, 60)],
)
def test_label_stays_in_the_image(box: Box) -> None:
    """Two texts of one width differ in as many pixels at the edge as in the middle."""
    image = np.full((500, 500, 3), 128, np.uint8)

    def difference(box: Box) -> int:
        one, other = (annotate(image, [prediction(box)], [text]) for text in ("Sad 19", "19 Sad"))
        return int((one != other).any(axis=2).sum())

    assert difference(box) == difference(Box(220, 220, 60, 60)) > 20


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    image = np.full((600, 600, 3), 128, np.uint8)
    faces = [prediction(Box(200, 200, 60, 60), 3), prediction(Box(225, 205, 60, 60), 4)]
    together = annotate(image, faces, ["Aaaaaaaaaa", "Aaaaaaaaaa"])
    alone = annotate(image, faces[:1], ["Aaaaaaaaaa"])
    chip = (alone != 128).any(axis=2)
    chip[198:, :] = False  # the label above the first face, without its box
    assert chip.sum() > 500
    np.testing.assert_array_equal(together[:190][chip[:190]], alone[:190][chip[:190]])


def test_unsure_is_not_drawn_as_an_emotion() -> None:
    image = np.full((500, 500, 3), 128, np.uint8)
    drawn = annotate(image, [prediction(Box(100, 100, 90, 90), 3, 0.5, unsure=True)])
    assert count(drawn, UNSURE_COLOR) > 100
    assert count(drawn, EMOTIONS[3].color) == 0


def test_number_of_captions_must_fit() -> None:
    with pytest.raises(ConfigError, match="got 0 captions for 1 faces"):
        annotate(np.zeros((9, 9, 3), np.uint8), [prediction(Box(0, 0, 5, 5))], [])
