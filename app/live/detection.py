"""Face detection at the pace of video."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.recognition.detectors import Face, FaceDetector
from pipeline.recognition.geometry import Box, Framing

LIVE_SIDE = 416
"""Longer side in pixels that YuNet sees of live video: a third of the work of 640, and of the
faces it finds at 640 in webcam clips 99 to 100 % (96 to 100 % at 320). Faces below some 15 pixels
at 640 are lost; what such a face shows is anyone's guess."""


class ShrinkingDetector:
    """Looks at a smaller copy of each image.

    Args:
        detector: Looks at the copy; must be one that threads may share.
        side: The most pixels of the copy's longer side.
    """

    def __init__(self, detector: FaceDetector, side: int) -> None:
        self._detector = detector
        self._side = side

    @property
    def framing(self) -> Framing:
        """See `FaceDetector.framing`."""
        return self._detector.framing

    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[Face, ...]:
        """See `FaceDetector.detect`."""
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        if scale >= 1:
            return self._detector.detect(image)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        across, down = width / size[0], height / size[1]
        return tuple(_enlarged(face, across, down) for face in self._detector.detect(small))


def _enlarged(face: Face, across: float, down: float) -> Face:
    box = Box(face.box.x * across, face.box.y * down, face.box.w * across, face.box.h * down)
    landmarks = face.landmarks
    if landmarks is not None:
        landmarks = landmarks * np.array([across, down], np.float32)
    return Face(box, face.score, landmarks)
