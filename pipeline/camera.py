"""What cameras and video calls do to the picture of a face.

One place for it: training makes faces worse by these to learn from it, and the
stress bench to measure it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Face = npt.NDArray[np.uint8]

_SIDE = 48
"""The side of the faces that widths in pixels are meant for; on others they scale along."""


def blurred(face: Face, sigma: float) -> Face:
    """A face out of focus.

    Args:
        face: `uint8` grey in `[0, 255]`, shape `(height, width)`.
        sigma: Standard deviation of the Gaussian, in pixels of a face of 48.
    """
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma * len(face) / _SIDE), np.uint8)


def compressed(face: Face, quality: int) -> Face:
    """A face after JPEG.

    Args:
        face: `uint8` grey in `[0, 255]`, shape `(height, width)`.
        quality: From 1, worst, to 100.
    """
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def coarse(face: Face, share: float) -> Face:
    """A face of few pixels, brought back to its size.

    Args:
        face: `uint8` grey in `[0, 255]`, shape `(height, width)`.
        share: What is left of each side, in `(0, 1]`.
    """
    height, width = face.shape
    few = (max(1, round(share * width)), max(1, round(share * height)))
    less = cv2.resize(face, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(less, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def noisy(faces: Face, deviation: float, rng: np.random.Generator) -> Face:
    """Faces in too little light for the sensor.

    Args:
        faces: `uint8` grey in `[0, 255]`, any shape.
        deviation: Standard deviation of the noise, in grey values.
        rng: Source of the noise.
    """
    return grey(faces + deviation * rng.standard_normal(faces.shape, np.float32))


def grey(values: npt.NDArray[np.floating]) -> Face:
    """Values as grey of `[0, 255]`: rounded, and cut off at both ends."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
