import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import ConfigError, ImageFormatError
from pipeline.labels import NAMES
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import Face, WholeImageDetector, YuNetDetector
from pipeline.recognition.geometry import Box
from pipeline.recognition.quality import QualityFlag
from pipeline.recognition.recognizer import Recognizer
from tests.pipeline.recognition.conftest import BrightnessClassifier
from tests.served_models import bar_faces, make_model


def test_one_prediction_for_each_face_in_one_batch(
    classifier: BrightnessClassifier, yunet: YuNetDetector, astronaut: np.ndarray
) -> None:
    dim = (astronaut * 0.25).astype(np.uint8)
    both = np.hstack([astronaut, dim])
    predictions = Recognizer(classifier, yunet).recognize(both)
    assert [batch.shape for batch in classifier.batches] == [(2, 48, 48)]
    bright, dark = sorted(predictions, key=lambda prediction: prediction.box.x)
    assert bright.box.x < 512 < dark.box.x
    assert bright.probabilities[3] > dark.probabilities[3]
    assert dark.quality == (QualityFlag.DARK,)


def test_no_face_gives_an_empty_list(
    classifier: BrightnessClassifier, yunet: YuNetDetector
) -> None:
    assert Recognizer(classifier, yunet).recognize(np.zeros((99, 99, 3), np.uint8)) == []


def test_crop_is_what_the_classifier_saw(
    classifier: BrightnessClassifier, yunet: YuNetDetector, astronaut: np.ndarray
) -> None:
    (prediction,) = Recognizer(classifier, yunet).recognize(astronaut)
    np.testing.assert_array_equal(prediction.crop, classifier.batches[0][0], strict=True)


def test_fer2013_image_passes_through_untouched(tmp_path: Path) -> None:
    """With no detector the scores are those of the image itself, to the last bit."""
    model = EmotionClassifier.load(make_model(tmp_path / "bars"))
    faces = bar_faces(np.arange(7))
    recognizer = Recognizer(model, WholeImageDetector())
    for face, expected in zip(faces, model.scores(faces).probabilities, strict=True):
        (prediction,) = recognizer.recognize(np.repeat(face[..., None], 3, axis=2))
        np.testing.assert_array_equal(prediction.crop, face)
        np.testing.assert_allclose(prediction.probabilities, expected, rtol=1e-6)


def test_contracts_margin_widens_the_crop(yunet: YuNetDetector, astronaut: np.ndarray) -> None:
    tight, wide = (
        Recognizer(BrightnessClassifier(face_margin=margin), yunet).recognize(astronaut)[0].crop
        for margin in (0.0, 0.25)
    )
    shrunk = cv2.resize(tight, (32, 32), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(wide[8:40, 8:40] - shrunk).mean() < 6


class TiltedDetector:
    """Knows where the astronaut's face is once the picture is turned."""

    framing = YuNetDetector.framing

    def __init__(self, turn: np.ndarray) -> None:
        eyes_to_mouth = np.array([[200, 102], [247, 103], [220, 124], [199, 143], [240, 144]])
        self.landmarks = cv2.transform(eyes_to_mouth[None].astype(np.float32), turn)[0]

    def detect(self, image: np.ndarray) -> tuple[Face, ...]:
        return (Face(Box(178, 63, 90, 113), 0.9, self.landmarks),)


def test_alignment_makes_the_crop_upright(astronaut: np.ndarray) -> None:
    def crop(degrees: float, align: bool) -> np.ndarray:
        turn = cv2.getRotationMatrix2D((223, 119.5), degrees, 1)
        image = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        recognizer = Recognizer(BrightnessClassifier(align=align), TiltedDetector(turn))
        return recognizer.recognize(image)[0].crop.astype(int)

    upright = crop(0, align=True)
    for degrees in (20, -35):
        assert np.abs(crop(degrees, align=True) - upright).mean() < 8
        assert np.abs(crop(degrees, align=False) - upright).mean() > 25


def test_alignment_without_landmarks_changes_nothing(astronaut: np.ndarray) -> None:
    whole = WholeImageDetector()
    crops = [
        Recognizer(BrightnessClassifier(align=align), whole).recognize(astronaut)[0].crop
        for align in (False, True)
    ]
    np.testing.assert_array_equal(*crops)


def test_unsure_below_the_contracts_threshold(astronaut: np.ndarray) -> None:
    (sure,) = Recognizer(BrightnessClassifier(unsure_below=0.3), WholeImageDetector()).recognize(
        astronaut
    )
    assert not sure.unsure
    assert replace(sure, unsure_below=sure.confidence + 0.01).unsure
    assert not replace(sure, unsure_below=sure.confidence).unsure


def test_callers_threshold_replaces_the_contracts(astronaut: np.ndarray) -> None:
    sure = BrightnessClassifier(unsure_below=0.0)
    recognizer = Recognizer(sure, WholeImageDetector(), unsure_below=0.99)
    assert recognizer.recognize(astronaut)[0].unsure
    lenient = Recognizer(
        BrightnessClassifier(unsure_below=0.99), WholeImageDetector(), unsure_below=0
    )
    assert not lenient.recognize(astronaut)[0].unsure


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"unsure_below must be in \[0, 1\]"):
        Recognizer(BrightnessClassifier(), WholeImageDetector(), unsure_below=threshold)


def test_derived_affect(classifier: BrightnessClassifier) -> None:
    recognizer = Recognizer(classifier, WholeImageDetector())
    (bright,) = recognizer.recognize(np.full((48, 48, 3), 255, np.uint8))
    (dark,) = recognizer.recognize(np.zeros((48, 48, 3), np.uint8))
    assert bright.emotion.name == "happy"
    assert dark.emotion.name == "sad"
    assert bright.valence > 0.6
    assert dark.valence < -0.6
    assert bright.arousal > dark.arousal


def test_dictionary_has_the_keys_of_the_api(
    classifier: BrightnessClassifier, yunet: YuNetDetector, astronaut: np.ndarray
) -> None:
    (prediction,) = Recognizer(classifier, yunet).recognize(astronaut)
    value = json.loads(json.dumps(prediction.to_dict()))
    assert list(value) == [
        *("x", "y", "w", "h", "emotion", "scores", "confidence", "unsure", "quality")
    ]
    assert all(type(value[key]) is int for key in "xywh")
    assert value["emotion"] in ("Happy", "Sad")
    assert tuple(value["scores"]) == NAMES
    assert sum(value["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert value["confidence"] == max(value["scores"].values())
    assert value["quality"] == []


def test_faces_found_before_are_scored_in_order(classifier: BrightnessClassifier) -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 100:] = 255
    faces = [Face(Box(110, 10, 80, 80), 0.7), Face(Box(10, 10, 80, 80), 0.9)]
    names = [
        prediction.emotion.name
        for prediction in Recognizer(classifier, WholeImageDetector()).predict(image, faces)
    ]
    assert names == ["happy", "sad"]


def test_other_arrays_are_refused(classifier: BrightnessClassifier, yunet: YuNetDetector) -> None:
    with pytest.raises(ImageFormatError, match="expected a uint8 RGB image"):
        Recognizer(classifier, yunet).recognize(np.zeros((48, 48), np.uint8))
