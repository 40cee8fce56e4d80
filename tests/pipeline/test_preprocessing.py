import cv2
import numpy as np
import pytest

from pipeline.errors import ConfigError, ImageFormatError
from pipeline.preprocessing import INPUT_SIZES, Preprocessing


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)


def test_face_of_the_right_size_passes_unchanged(faces: np.ndarray) -> None:
    inputs = Preprocessing().apply(faces)
    assert (inputs.shape, inputs.dtype) == ((3, 48, 48, 1), np.uint8)
    np.testing.assert_array_equal(inputs[..., 0], faces)


@pytest.mark.parametrize("size", INPUT_SIZES)
@pytest.mark.parametrize("clahe", [False, True])
@pytest.mark.parametrize("shape", [(48, 48), (60, 31), (200, 240), (48, 48, 3), (1, 1), (9, 7, 3)])
def test_any_crop_becomes_the_networks_input(
    size: int, clahe: bool, shape: tuple[int, ...]
) -> None:
    crops = np.full((2, *shape), 77, np.uint8)
    inputs = Preprocessing(size, clahe).apply(crops)
    assert (inputs.shape, inputs.dtype) == ((2, size, size, 1), np.uint8)
    if not clahe:
        assert (inputs == 77).all()


def test_colours_are_weighed_as_red_green_blue() -> None:
    red_green_blue = np.zeros((3, 48, 48, 3), np.uint8)
    for channel in range(3):
        red_green_blue[channel, ..., channel] = 255
    greys = Preprocessing().apply(red_green_blue)[:, 0, 0, 0]
    np.testing.assert_array_equal(greys, [76, 150, 29])  # ITU-R BT.601


def test_shrinking_averages_so_that_fine_texture_does_not_alias() -> None:
    checkers = (np.indices((96, 96)).sum(axis=0) % 2 * 255).astype(np.uint8)[None]
    inputs = Preprocessing().apply(checkers)
    assert abs(inputs.astype(int) - 127).max() <= 1


def test_enlarging_keeps_the_picture(faces: np.ndarray) -> None:
    smooth = cv2.GaussianBlur(faces[0], (0, 0), 4)[None]
    large = Preprocessing(96).apply(smooth)[0, ..., 0]
    back = cv2.resize(large, (48, 48), interpolation=cv2.INTER_AREA)
    assert abs(back.astype(int) - smooth[0]).mean() < 1


def test_clahe_raises_local_contrast_before_resizing() -> None:
    ramp = np.tile(np.linspace(100, 140, 48).astype(np.uint8), (48, 1))[None]
    equalised = Preprocessing(clahe=True).apply(ramp)[0, ..., 0]
    assert np.ptp(equalised) > 1.5 * np.ptp(ramp)
    expected = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(ramp[0])
    np.testing.assert_array_equal(equalised, expected)
    large = Preprocessing(96, clahe=True).apply(ramp)[0, ..., 0]
    np.testing.assert_array_equal(
        large, cv2.resize(expected, (96, 96), interpolation=cv2.INTER_LINEAR)
    )


def test_input_is_left_alone(faces: np.ndarray) -> None:
    before = faces.copy()
    Preprocessing(64, clahe=True).apply(faces)
    np.testing.assert_array_equal(faces, before)


@pytest.mark.parametrize("shape", [(0, 48, 48), (0, 50, 40, 3)])
@pytest.mark.parametrize("clahe", [False, True])
def test_no_face_gives_no_input(shape: tuple[int, ...], clahe: bool) -> None:
    inputs = Preprocessing(64, clahe).apply(np.empty(shape, np.uint8))
    assert inputs.shape == (0, 64, 64, 1)


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (np.zeros((1, 48, 48), np.float32), "float32"),
        (np.zeros((48, 48), np.uint8), r"\(48, 48\)"),
        (np.zeros((1, 48, 48, 1), np.uint8), "three colour channels, got 1"),
        (np.zeros((1, 48, 48, 4), np.uint8), "three colour channels, got 4"),
        (np.zeros((1, 0, 48), np.uint8), "at least one pixel"),
    ],
)
def test_other_arrays_are_refused(faces: np.ndarray, message: str) -> None:
    with pytest.raises(ImageFormatError, match=message):
        Preprocessing().apply(faces)


def test_unsupported_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"one of \(48, 64, 96, 128\), got 50"):
        Preprocessing(50)


def test_settings_travel_by_name() -> None:
    chosen = Preprocessing(64, clahe=True)
    assert Preprocessing(**chosen.to_dict()) == chosen
