"""Each corruption does what its name says, and more of it at a higher strength."""

import cv2
import numpy as np
import pytest

from pipeline.dataset.synthetic import draw_face
from pipeline.errors import ConfigError, ImageFormatError
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from pipeline.labels import NAMES


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([draw_face(NAMES[index % 7], rng) for index in range(28)])


def moved(faces: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference in grey values."""
    return float(np.abs(faces.astype(float) - other).mean())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_strength_0_changes_nothing_and_each_next_more(name: str, faces: np.ndarray) -> None:
    kept = faces.copy()
    same = corrupt(faces, name, 0)
    assert np.array_equal(same, faces)
    assert same is not faces
    distances = [0.0]
    for strength in STRENGTHS:
        worse = corrupt(faces, name, strength)
        assert (worse.dtype, worse.shape) == (np.uint8, faces.shape)
        distances.append(moved(faces, worse))
    assert (np.diff(distances) > 0).all(), distances
    assert np.array_equal(faces, kept)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_same_seed_same_faces_and_any_number_of_them(name: str, faces: np.ndarray) -> None:
    assert np.array_equal(corrupt(faces, name, 3, seed=1), corrupt(faces, name, 3, seed=1))
    assert corrupt(faces[:0], name, 3).shape == (0, 48, 48)
    oblong = np.ascontiguousarray(faces[:2, :, :40])
    assert corrupt(oblong, name, 5).shape == (2, 48, 40)


@pytest.mark.parametrize("name", ["noise", "rotation", "shift"])
def test_another_seed_gives_other_faces(name: str, faces: np.ndarray) -> None:
    assert not np.array_equal(corrupt(faces, name, 3, seed=1), corrupt(faces, name, 3, seed=2))


def test_light_scales_and_burns_out() -> None:
    face = np.full((1, 48, 48), 100, np.uint8)
    assert [int(corrupt(face, "darker", s)[0, 0, 0]) for s in STRENGTHS] == [80, 60, 40, 25, 15]
    found = [int(corrupt(face, "brighter", s)[0, 0, 0]) for s in STRENGTHS]
    assert found == [130, 170, 220, 255, 255]


def test_contrast_keeps_the_mean_and_shrinks_the_spread(faces: np.ndarray) -> None:
    flat = corrupt(faces, "contrast", 3)
    assert np.allclose(flat.mean(axis=(1, 2)), faces.mean(axis=(1, 2)), atol=0.5)
    assert np.allclose(flat.std(axis=(1, 2)), 0.4 * faces.std(axis=(1, 2)), atol=0.5)


def test_blur_and_low_resolution_take_edges_away(faces: np.ndarray) -> None:
    def edges(images: np.ndarray) -> float:
        return float(np.mean([cv2.Laplacian(image, cv2.CV_32F).var() for image in images]))

    for name in ("blur", "low_resolution"):
        assert edges(corrupt(faces, name, 4)) < 0.2 * edges(faces)


def test_noise_has_its_deviation() -> None:
    grey = np.full((20, 48, 48), 128, np.uint8)
    assert corrupt(grey, "noise", 2).std() == pytest.approx(16, rel=0.02)


def test_jpeg_is_what_its_quality_gives(faces: np.ndarray) -> None:
    _, data = cv2.imencode(".jpg", faces[3], [cv2.IMWRITE_JPEG_QUALITY, 20])
    expected = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(corrupt(faces, "jpeg", 3)[3], expected)


def spot(row: int, column: int) -> np.ndarray:
    """A bright square of 5 pixels on black."""
    face = np.zeros((1, 49, 49), np.uint8)
    face[0, row - 2 : row + 3, column - 2 : column + 3] = 255
    return face


def place(face: np.ndarray) -> np.ndarray:
    """The centre of what is bright: row, column, from the middle."""
    return (
        np.array([np.average(np.arange(49), weights=face.sum(axis=axis)) for axis in (1, 0)]) - 24
    )


def test_boxes_move_turn_and_scale_the_face_about_its_middle() -> None:
    off = spot(24, 34)  # ten to the right
    for strength in STRENGTHS:
        angle = CORRUPTIONS["rotation"].levels[strength - 1]
        row, column = place(corrupt(off, "rotation", strength)[0])
        assert np.hypot(row, column) == pytest.approx(10, abs=0.2)
        assert abs(np.degrees(np.arctan2(row, column))) == pytest.approx(angle, abs=1)
        for name in ("zoom_in", "zoom_out"):
            factor = CORRUPTIONS[name].levels[strength - 1]
            assert place(corrupt(off, name, strength)[0]) == pytest.approx(
                [0, 10 * factor], abs=0.2
            )
        share = CORRUPTIONS["shift"].levels[strength - 1]
        reached = np.hypot(*place(corrupt(spot(24, 24), "shift", strength)[0]))
        assert reached == pytest.approx(49 * share, abs=0.2)


def test_directions_differ_between_faces_and_stay_between_strengths() -> None:
    faces = np.repeat(spot(24, 34), 12, axis=0)
    mild, strong = (corrupt(faces, "rotation", strength) for strength in (1, 5))
    sides = [np.sign(place(face)[0]) for face in mild]
    assert set(sides) == {-1, 1}
    assert sides == [np.sign(place(face)[0]) for face in strong]


@pytest.mark.parametrize(("name", "rows"), [("eyes", range(10, 25)), ("mouth", range(31, 46))])
def test_bands_hide_their_rows_and_nothing_else(name: str, rows: range, faces: np.ndarray) -> None:
    hidden = corrupt(faces, name, 5)
    changed = np.flatnonzero((hidden != faces).any(axis=(0, 2)))
    assert changed.tolist() == list(rows)
    assert (hidden[:, rows[0] : rows[-1] + 1].std(axis=(1, 2)) == 0).all()


def test_words_say_what_a_strength_is() -> None:
    assert CORRUPTIONS["blur"].words(3) == "σ 1.5 px"
    assert CORRUPTIONS["eyes"].words(5) == "31% of the height"
    assert CORRUPTIONS["eyes"].words(0) == ""
    assert all(len(found.levels) == len(STRENGTHS) for found in CORRUPTIONS.values())


def test_mistakes_are_refused(faces: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="'rain'"):
        corrupt(faces, "rain", 1)
    for strength in (-1, 6):
        with pytest.raises(ConfigError, match="strength"):
            corrupt(faces, "blur", strength)
    for wrong in (faces[0], faces.astype(np.float32)):
        with pytest.raises(ImageFormatError, match="uint8 grey"):
            corrupt(wrong, "blur", 1)
