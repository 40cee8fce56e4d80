import cv2
import numpy as np
import pytest

from pipeline.recognition.geometry import Box, Framing, containment, crop, eye_slope, iou


def test_clipping_keeps_what_is_inside() -> None:
    assert Box(-10, 5, 30, 100).clipped(15, 50) == Box(0, 5, 15, 45)
    outside = Box(100, 100, 10, 10).clipped(50, 50)
    assert (outside.w, outside.h) == (0, 0)


def test_rounding_keeps_edges_and_never_vanishes() -> None:
    assert Box(0.6, 0.4, 9.6, 0.2).rounded() == (1, 0, 9, 1)


def test_frame_is_a_square_around_the_moved_middle() -> None:
    frame = Framing(scale=1.5, down=0.1).frame(Box(10, 20, 40, 90))
    assert frame.w == frame.h == pytest.approx(1.5 * 60)
    assert frame.center == pytest.approx((30, 65 + 9))


def test_margin_grows_the_frame_on_all_sides() -> None:
    plain, wide = (Framing(down=0.1).frame(Box(0, 0, 50, 50), margin) for margin in (0.0, 0.2))
    assert wide.w == pytest.approx(1.4 * plain.w)
    assert wide.center == pytest.approx(plain.center)


def picture(height: int = 60, width: int = 80) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.repeat((rows * 2 + columns)[..., None], 3, axis=2).astype(np.uint8)


def test_crop_at_its_own_size_is_the_pixels() -> None:
    image = picture()
    np.testing.assert_array_equal(
        crop(image, Box(10, 5, 48, 48)), image[5:53, 10:58, 0], strict=True
    )


def test_crop_repeats_the_edge_outside_the_image() -> None:
    image = picture()
    inside = crop(image, Box(-20, -10, 48, 48))
    np.testing.assert_array_equal(inside[10:, 20:], image[:38, :28, 0])
    np.testing.assert_array_equal(inside[10:, 5], image[:38, 0, 0])
    np.testing.assert_array_equal(inside[3, 20:], image[0, :28, 0])


def test_crop_far_outside_is_the_nearest_pixel() -> None:
    image = picture()
    assert (crop(image, Box(500, 500, 48, 48)) == image[-1, -1, 0]).all()


@pytest.mark.parametrize("side", [1, 7, 48, 300])
def test_crop_has_one_size(side: int) -> None:
    result = crop(picture(400, 400), Box(3.3, 4.7, side, side))
    assert result.shape == (48, 48)
    assert result.dtype == np.uint8


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[::2] = 255
    assert np.ptp(crop(stripes, Box(0, 0, 480, 480))) <= 2


def test_alignment_turns_the_slope_away() -> None:
    upright = np.zeros((200, 200, 3), np.uint8)
    cv2.line(upright, (60, 100), (140, 100), (255, 255, 255), 9)
    eyes = np.array([[60, 100], [140, 100], [100, 120], [70, 140], [130, 140]], np.float32)
    turn = cv2.getRotationMatrix2D((100, 100), -25, 1)  # clockwise by 25°
    sloping = cv2.warpAffine(upright, turn, (200, 200))
    moved = cv2.transform(eyes[None], turn)[0]
    assert eye_slope(moved) == pytest.approx(25, abs=0.1)
    frame = Box(50, 50, 100, 100)
    straightened = crop(sloping, frame, angle=eye_slope(moved)).astype(int)
    difference = np.abs(straightened - crop(upright, frame))
    assert difference.mean() < 3
    assert np.abs(crop(sloping, frame).astype(int) - crop(upright, frame)).mean() > 20


def test_overlap_measures() -> None:
    first = [Box(0, 0, 10, 10), Box(0, 0, 0, 0)]
    second = [Box(5, 0, 10, 10), Box(2, 2, 5, 5), Box(50, 50, 5, 5)]
    np.testing.assert_allclose(iou(first, second), [[1 / 3, 0.25, 0], [0, 0, 0]])
    np.testing.assert_allclose(containment(first, second), [[0.5, 1, 0], [0, 0, 0]])
    assert iou([], second).shape == (0, 3)
    assert iou(first, []).shape == (2, 0)
