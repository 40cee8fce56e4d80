import base64
import re

import cv2
import numpy as np
import pytest

from app.charts import SPLIT_TITLES, class_balance_text
from app.class_bars import class_bars
from pipeline.labels import EMOTIONS

COUNTS = {
    "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "validation": [467, 56, 496, 895, 653, 415, 607],
    "test": [491, 55, 528, 879, 594, 416, 626],
}

NO_FACES = [np.empty((0, 48, 48), np.uint8)] * 7


def widths(html: str, emotion: str) -> list[float]:
    found = re.findall(rf'title="{emotion}, [^"]+" style="--part:([\d.]+);', html)
    return [float(part) for part in found]


def test_bars_are_as_long_as_their_counts() -> None:
    html = class_bars(COUNTS, NO_FACES)
    happy, disgust = widths(html, "Happy"), widths(html, "Disgust")
    assert len(happy) == len(disgust) == 3
    assert sum(happy) == pytest.approx(1, abs=0.001)
    assert sum(disgust) / sum(happy) == pytest.approx(547 / 8989, abs=0.002)
    assert happy[0] / sum(happy) == pytest.approx(7215 / 8989, abs=0.001)


def test_each_class_has_its_colour_and_its_total() -> None:
    html = class_bars(COUNTS, NO_FACES)
    for emotion in EMOTIONS:
        # Outlined in full, for what is thinly filled is hard to tell from the ground.
        assert html.count(f"border:1px solid {emotion.color}") == 3
    assert "8,989<em> · 25.0 %</em>" in html
    assert "<b>35,887</b> images" in html
    for split, title in SPLIT_TITLES.items():
        assert f"</i>{title} <b>{sum(COUNTS[split]):,}</b>" in html


@pytest.mark.parametrize("number", [0, 1])
def test_tiny_datasets_can_be_drawn(number: int) -> None:
    html = class_bars({split: [number] + [0] * 6 for split in COUNTS}, NO_FACES)
    assert len(widths(html, "Angry")) == 3 * number
    assert f"<span>{3 * number}<em> · {100 * number:.1f} %</em></span>" in html


def test_faces_stand_beside_the_bar_of_their_class() -> None:
    faces = [np.full((number, 48, 48), 40 * number, np.uint8) for number in range(7)]
    html = class_bars(COUNTS, faces)
    rows = re.findall(
        r'<div>(\w+)</div><div class="bar">.*?</div><div class="faces">(.*?)</div>', html
    )
    assert [title for title, _ in rows] == [emotion.title for emotion in EMOTIONS]
    for number, (_, picture) in enumerate(rows):
        if not number:
            assert picture == ""
            continue
        data = base64.b64decode(picture.split("base64,")[1].split('"')[0])
        strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert strip.shape == (48, 48 * number)
        assert (strip == 40 * number).all()


def test_words_say_the_same_as_the_bars() -> None:
    text = class_balance_text(COUNTS)
    assert "Happy 8,989" in text
    assert f'aria-label="{text}, ' in class_bars(COUNTS, NO_FACES)


def test_splits_differ_in_the_strength_of_their_colour() -> None:
    html = class_bars(COUNTS, NO_FACES)
    red, green, blue = bytes.fromhex(EMOTIONS[3].color.removeprefix("#"))
    found = re.findall(rf"background:rgba\({red}, {green}, {blue}, ([\d.]+)\)", html)
    assert [float(strength) for strength in found] == [1.0, 0.7, 0.4]
