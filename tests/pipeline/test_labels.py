import pytest

from pipeline.errors import DatasetError
from pipeline.labels import EMOTIONS, NAMES, label_index


def test_order_is_that_of_fer2013() -> None:
    assert NAMES == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_colours_differ() -> None:
    assert len({emotion.color for emotion in EMOTIONS}) == len(EMOTIONS)


@pytest.mark.parametrize(
    ("text", "index"), [("3", 3), (" Happy ", 3), ("HAPPINESS", 3), ("anger", 0), ("6", 6)]
)
def test_label_is_read_as_people_write_it(text: str, index: int) -> None:
    assert label_index(text) == index


@pytest.mark.parametrize("text", ["7", "-1", "", "contempt", "3.0", "²", "9" * 5000])
def test_unknown_label_is_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="expected 0 to 6 or one of angry") as caught:
        label_index(text)
    assert len(str(caught.value)) < 150
