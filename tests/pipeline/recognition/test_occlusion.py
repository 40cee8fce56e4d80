import numpy as np
import pytest

from pipeline.errors import ConfigError, ImageFormatError
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.occlusion import occlusion_map
from tests.served_models import BAR_HEIGHT, bar_faces, make_model


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> EmotionClassifier:
    return EmotionClassifier.load(make_model(tmp_path_factory.mktemp("model") / "bars"))


@pytest.mark.parametrize("label", [0, 3, 6])
def test_what_decides_stands_out(bars: EmotionClassifier, label: int) -> None:
    """The model reads the brightness of one bar, so hiding that bar costs the most."""
    explained = occlusion_map(bars, bar_faces(np.array([label]))[0])
    assert explained.label == label
    assert explained.drops.shape == (48, 48)
    assert explained.drops.dtype == np.float32
    rows = explained.drops.mean(axis=1)
    assert rows.argmax() // BAR_HEIGHT == label
    assert rows.max() > 0.05
    # Far from the bar there is only noise, and hiding it makes all other bars a little brighter.
    far = np.abs(np.arange(48) - (label + 0.5) * BAR_HEIGHT) > 18
    assert rows[far].max() < 0.01


def test_what_speaks_against_is_below_zero(bars: EmotionClassifier) -> None:
    explained = occlusion_map(bars, bar_faces(np.array([2]))[0], label=5)
    assert explained.label == 5
    assert explained.drops[2 * BAR_HEIGHT : 3 * BAR_HEIGHT].mean() < -0.01


def test_value_is_the_mean_over_the_squares_that_hid_the_pixel(bars: EmotionClassifier) -> None:
    face = bar_faces(np.array([4]))[0]

    def happy(image: np.ndarray) -> float:
        return float(bars.scores(image[None]).probabilities[0, 4])

    drops = []
    for top in range(0, 24, 8):  # the squares of side 24, 8 apart, that hold pixel (20, 20)
        for left in range(0, 24, 8):
            hidden = face.copy()
            hidden[top : top + 24, left : left + 24] = round(float(face.mean()))
            drops.append(happy(face) - happy(hidden))
    explained = occlusion_map(bars, face, patch=24, stride=8)
    assert explained.drops[20, 20] == pytest.approx(np.mean(drops), abs=1e-6)


def test_blank_face_has_nothing_to_hide(bars: EmotionClassifier) -> None:
    explained = occlusion_map(bars, np.full((48, 48), 90, np.uint8))
    np.testing.assert_allclose(explained.drops, 0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 48, 48), (48, 48, 3), (48,)])
def test_other_shapes_are_refused(bars: EmotionClassifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageFormatError, match="grey face"):
        occlusion_map(bars, np.zeros(shape, np.uint8))
    with pytest.raises(ImageFormatError, match="float64"):
        occlusion_map(bars, np.zeros((48, 48)))


@pytest.mark.parametrize(("patch", "stride"), [(49, 4), (8, 9), (8, 0)])
def test_gaps_and_oversize_are_refused(bars: EmotionClassifier, patch: int, stride: int) -> None:
    with pytest.raises(ConfigError, match="stride <= patch"):
        occlusion_map(bars, np.zeros((48, 48), np.uint8), patch=patch, stride=stride)
