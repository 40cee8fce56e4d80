import tomllib
from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from pipeline.errors import DatasetError
from pipeline.home import PROJECT_ROOT
from pipeline.labels import EMOTIONS, NAMES, label_index


def test_order_is_that_of_fer2013() -> None:
    assert NAMES == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


# What an eye that lacks a kind of cone sees, on linear RGB (Machado et al. 2009, severity 1).
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
THEMES = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text())["theme"]


def channels(colors: list[str]) -> np.ndarray:
    return np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in colors]) / 255


def linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(values: np.ndarray) -> np.ndarray:
    return linear(values) @ [0.2126, 0.7152, 0.0722]


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    low, high = sorted([float(luminance(one)[0]), float(luminance(other)[0])])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_told_apart(eye: str) -> None:
    seen = np.clip(linear(channels([emotion.color for emotion in EMOTIONS])) @ EYES[eye].T, 0, 1)
    shown = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(shown[np.newaxis])[0]
    for first, second in combinations(range(len(EMOTIONS)), 2):
        distance = float(deltaE_ciede2000(lab[first], lab[second]))
        # About 1 can just be seen, side by side; thin lines and far legends need much more.
        assert distance > 15, (EMOTIONS[first].name, EMOTIONS[second].name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_from_the_page(theme: str) -> None:
    ground = channels([THEMES[theme]["backgroundColor"]])
    for emotion in EMOTIONS:
        # WCAG 2.2, 1.4.11: what graphics take.
        assert contrast(ground, channels([emotion.color])) >= 3.0, emotion.name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_captions_can_be_read(theme: str) -> None:
    ink = channels([THEMES[theme]["textColor"]])
    for part in (THEMES[theme], THEMES[theme]["sidebar"]):
        ground = channels([part["backgroundColor"]])
        # Streamlit writes them in the colour of the text at 60 %.
        assert contrast(0.6 * ink + 0.4 * ground, ground) >= 4.5


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
