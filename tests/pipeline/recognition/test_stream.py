import cv2
import numpy as np
import pytest

from pipeline.recognition.detectors import WholeImageDetector, YuNetDetector
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.stream import RecognitionStream
from tests.pipeline.recognition.conftest import BrightnessClassifier


@pytest.fixture(scope="module")
def portrait(astronaut: np.ndarray) -> np.ndarray:
    return cv2.resize(astronaut[:300, 60:400], (340, 300))


def test_raw_and_smoothed_scores_of_a_track(
    classifier: BrightnessClassifier, yunet: YuNetDetector, portrait: np.ndarray
) -> None:
    stream = RecognitionStream(Recognizer(classifier, yunet), time_constant=1.0)
    dim = (portrait * 0.35).astype(np.uint8)
    (first,) = stream.update(portrait, 0.0)
    (second,) = stream.update(dim, 0.1)
    assert (first.track, second.track) == (1, 1)
    np.testing.assert_allclose(first.smoothed.probabilities, first.raw.probabilities, atol=1e-6)
    happy = [found.probabilities[3] for found in (second.raw, second.smoothed, first.raw)]
    assert happy == sorted(happy)
    assert happy[1] > happy[2] - 0.15  # a tenth of the time constant has passed
    assert second.smoothed.box == second.raw.box


def test_tracks_stay_with_their_faces(
    classifier: BrightnessClassifier, yunet: YuNetDetector, portrait: np.ndarray
) -> None:
    """What the detector names first changes; the ids do not."""
    stream = RecognitionStream(Recognizer(classifier, yunet))
    left = np.hstack([portrait, np.full_like(portrait, 128)])
    right, both = left[:, ::-1], np.hstack([portrait, portrait])
    (one,) = stream.update(left, 0.0)
    (other,) = stream.update(right, 0.1)
    assert (one.track, other.track) == (1, 2)
    found = stream.update(both, 0.2)
    assert [prediction.track for prediction in found] == [1, 2]
    assert found[0].raw.box.x < 340 < found[1].raw.box.x


def test_who_is_followed_keeps_the_track_through_a_change(
    classifier: BrightnessClassifier, yunet: YuNetDetector, portrait: np.ndarray
) -> None:
    stream = RecognitionStream(Recognizer(classifier, yunet), time_constant=1.0)
    stream.update(np.hstack([np.full_like(portrait, 128), portrait]), 0.0)
    (before,) = stream.update(portrait, 0.1)
    stream.change(Recognizer(classifier, WholeImageDetector()), time_constant=0.0)
    (after,) = stream.update(portrait, 0.2)
    assert before.track == after.track == 2
    assert after.raw.box == Box(0, 0, 340, 300)
    np.testing.assert_allclose(after.smoothed.probabilities, after.raw.probabilities, atol=1e-6)


def test_dictionary_carries_the_track(
    classifier: BrightnessClassifier, yunet: YuNetDetector, portrait: np.ndarray
) -> None:
    (found,) = RecognitionStream(Recognizer(classifier, yunet)).update(portrait, 0.0)
    assert found.to_dict() == {**found.smoothed.to_dict(), "track": 1}
