"""From an image to predictions: detector, framing and classifier as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE
from pipeline.errors import ConfigError
from pipeline.labels import EMOTIONS, NAMES, Emotion
from pipeline.recognition.affect import valence_arousal
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import Face, FaceDetector
from pipeline.recognition.geometry import Box, crop, eye_slope
from pipeline.recognition.quality import QualityFlag, assess

_DIGITS = 4


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is said of one face.

    Attributes:
        box: Where the face is, in pixels of the image, clipped to it.
        detection_score: The detector's confidence that it is a face, in `[0, 1]`.
        landmarks: As in `detectors.Face`.
        probabilities: Of the seven emotions, calibrated, `float32`, shape `(7,)`,
            in `labels.EMOTIONS` order.
        unsure_below: The threshold on the highest probability.
        quality: Reasons to doubt the scores.
        crop: What the classifier was given, `uint8` grey, shape `(48, 48)`.
    """

    box: Box
    detection_score: float
    landmarks: npt.NDArray[np.float32] | None
    probabilities: npt.NDArray[np.float32]
    unsure_below: float
    quality: tuple[QualityFlag, ...]
    crop: npt.NDArray[np.uint8]

    @property
    def emotion(self) -> Emotion:
        """The most probable emotion."""
        return EMOTIONS[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """The highest probability."""
        return float(self.probabilities.max())

    @property
    def unsure(self) -> bool:
        """Whether the highest probability is too low to name an emotion."""
        return self.confidence < self.unsure_below

    @property
    def valence(self) -> float:
        """Unpleasant to pleasant, in `[-1, 1]`; derived, see `affect`."""
        return float(valence_arousal(self.probabilities)[0])

    @property
    def arousal(self) -> float:
        """Calm to excited, in `[-1, 1]`; derived, see `affect`."""
        return float(valence_arousal(self.probabilities)[1])

    def to_dict(self) -> dict[str, Any]:
        """The prediction as the JSON API and the files write it."""
        x, y, w, h = self.box.rounded()
        return {
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "emotion": self.emotion.title,
            "scores": {
                name: round(float(value), _DIGITS)
                for name, value in zip(NAMES, self.probabilities, strict=True)
            },
            "confidence": round(self.confidence, _DIGITS),
            "unsure": self.unsure,
            "quality": [flag.value for flag in self.quality],
        }


class Recognizer:
    """Finds faces and scores their expressions; threads may share one instance.

    Args:
        classifier: The served model.
        detector: Finds the faces.
        unsure_below: The highest probability below which a face is unsure, in
            `[0, 1]`; `None` takes the model's own threshold.

    Raises:
        ConfigError: If the threshold is out of range.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        detector: FaceDetector,
        *,
        unsure_below: float | None = None,
    ) -> None:
        own = classifier.contract.unsure_below
        self.classifier = classifier
        self.detector = detector
        self._unsure_below = own if unsure_below is None else unsure_below
        if not 0 <= self._unsure_below <= 1:
            raise ConfigError(f"unsure_below must be in [0, 1], got {unsure_below!r}")

    def recognize(self, image: npt.NDArray[np.uint8]) -> list[Prediction]:
        """Scores every face in an image.

        Args:
            image: `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`.

        Returns:
            One prediction for each face, the surest detection first; empty when
            no face is found.

        Raises:
            ImageFormatError: If `image` has another dtype or shape.
        """
        return self.predict(image, self.detector.detect(image))

    def predict(self, image: npt.NDArray[np.uint8], faces: Sequence[Face]) -> list[Prediction]:
        """Scores faces that were found before, all in one batch.

        Args:
            image: As for `recognize`.
            faces: What `detector` found in it.

        Returns:
            One prediction for each face, in order.
        """
        contract = self.classifier.contract
        frames = [self.detector.framing.frame(face.box, contract.face_margin) for face in faces]
        crops = np.empty((len(faces), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        for index, (face, frame) in enumerate(zip(faces, frames, strict=True)):
            landmarks = face.landmarks if contract.align else None
            slope = 0.0 if landmarks is None else eye_slope(landmarks)
            crops[index] = crop(image, frame, angle=slope)
        scores = self.classifier.scores(crops)
        return [
            Prediction(
                box=face.box,
                detection_score=face.score,
                landmarks=face.landmarks,
                probabilities=probabilities,
                unsure_below=self._unsure_below,
                quality=assess(pixels, frame, face.landmarks),
                crop=pixels,
            )
            for face, frame, pixels, probabilities in zip(
                faces, frames, crops, scores.probabilities, strict=True
            )
        ]
