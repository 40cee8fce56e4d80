import cv2
import numpy as np
import pytest

from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.geometry import crop
from pipeline.recognition.quality import QualityFlag, assess, sharpness, turn


def flags(yunet: YuNetDetector, image: np.ndarray) -> set[QualityFlag]:
    """What is found about the one face in a picture."""
    (face,) = yunet.detect(image)
    frame = yunet.framing.frame(face.box)
    return set(assess(crop(image, frame), frame, face.landmarks))


def test_good_portrait_has_no_flag(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    assert flags(yunet, astronaut) == set()


def test_small_face(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut, (85, 85), interpolation=cv2.INTER_AREA)
    assert QualityFlag.TOO_SMALL in flags(yunet, small)


@pytest.mark.parametrize(("sigma", "is_blurred"), [(1, False), (2, False), (6, True), (9, True)])
def test_blur(yunet: YuNetDetector, astronaut: np.ndarray, sigma: float, is_blurred: bool) -> None:
    found = flags(yunet, cv2.GaussianBlur(astronaut, (0, 0), sigma))
    assert found == ({QualityFlag.BLURRED} if is_blurred else set())


def test_sharpness_ignores_contrast(astronaut: np.ndarray) -> None:
    face = cv2.cvtColor(astronaut[60:180, 160:280], cv2.COLOR_RGB2GRAY)
    face = cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA)
    pale = (100 + face // 4).astype(np.uint8)
    assert sharpness(pale) == pytest.approx(sharpness(face), rel=0.1)
    assert sharpness(np.full((48, 48), 9, np.uint8)) == 0


@pytest.mark.parametrize(("gain", "is_dark"), [(0.6, False), (0.25, True)])
def test_dark(yunet: YuNetDetector, astronaut: np.ndarray, gain: float, is_dark: bool) -> None:
    found = flags(yunet, (astronaut * gain).astype(np.uint8))
    assert found == ({QualityFlag.DARK} if is_dark else set())


@pytest.mark.parametrize(("gain", "is_burnt"), [(1.1, False), (2.2, True)])
def test_overexposed(
    yunet: YuNetDetector, astronaut: np.ndarray, gain: float, is_burnt: bool
) -> None:
    found = flags(yunet, (astronaut * gain).clip(0, 255).astype(np.uint8))
    assert found == ({QualityFlag.OVEREXPOSED} if is_burnt else set())


def landmarks(nose: tuple[float, float], slope: float = 0.0) -> np.ndarray:
    points = np.array([[30, 40], [70, 40], nose, [35, 80], [65, 80]], np.float32)
    turned = np.array(cv2.getRotationMatrix2D((50, 50), slope, 1), np.float32)
    return cv2.transform(points[None], turned)[0]


@pytest.mark.parametrize("slope", [0, 20, -20])
def test_turn_is_measured_along_the_eyes(slope: float) -> None:
    assert turn(landmarks((50, 60), slope)) == pytest.approx(0, abs=1e-5)
    assert turn(landmarks((70, 60), slope)) == pytest.approx(0.5, abs=1e-5)
    assert turn(landmarks((34, 60), slope)) == pytest.approx(0.4, abs=1e-5)


def test_profile_is_turned(astronaut: np.ndarray, yunet: YuNetDetector) -> None:
    (face,) = yunet.detect(astronaut)
    frame = yunet.framing.frame(face.box)
    pixels = crop(astronaut, frame)
    hidden = np.array([[50, 40], [50, 40], [70, 60], [50, 80], [55, 80]], np.float32)
    assert assess(pixels, frame, hidden) == (QualityFlag.TURNED,)
    assert assess(pixels, frame, None) == ()
