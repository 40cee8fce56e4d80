from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data

from pipeline.recognition.classifier import EmotionScores
from pipeline.recognition.detectors import YuNetDetector


class BrightnessClassifier:
    """Stands in for a network: brighter crops are happier, darker ones sadder."""

    def __init__(
        self, unsure_below: float = 0.0, face_margin: float = 0.0, align: bool = False
    ) -> None:
        self.contract = SimpleNamespace(
            unsure_below=unsure_below, face_margin=face_margin, align=align
        )
        self.batches: list[np.ndarray] = []

    def scores(self, faces: np.ndarray) -> EmotionScores:
        self.batches.append(faces)
        probabilities = np.full((len(faces), 7), 0.02, np.float32)
        happy = faces.reshape(len(faces), 48 * 48).mean(axis=1) / 255
        probabilities[:, 3] = 0.02 + 0.86 * happy
        probabilities[:, 4] = 0.02 + 0.86 * (1 - happy)
        return EmotionScores(probabilities)


@pytest.fixture
def classifier() -> BrightnessClassifier:
    return BrightnessClassifier()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A NASA portrait with one face, about 90 pixels wide, around (223, 120)."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def yunet() -> YuNetDetector:
    return YuNetDetector()
