"""What about a picture of a face makes its scores doubtful.

Each threshold lies where the accuracy of a plain network on FER-2013's
PublicTest images, spoilt on purpose, has fallen by about five points. The
flags warn; they change no score.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.recognition.geometry import Box

LEAST_SIDE = 24
"""Frame's side in pixels of the image: accuracy falls by 2 points at 24, by 7 at 20."""

LEAST_SHARPNESS = 0.2
"""See `sharpness`: reached by all of FER-2013, by nearly none of it once blurred with a sigma of
1.5 pixels, at which accuracy falls by 11 points."""

LEAST_BRIGHT = 80
"""Grey value that a tenth of the pixels must reach: accuracy falls by 6 points where it is 98 on
average, by 9 where it is 68. Of FER-2013, 0.3 % are darker."""

BURNT = 250
"""Grey value from which a pixel counts as burnt out."""

MOST_BURNT = 0.3
"""Share of burnt pixels: accuracy falls by 5 points at a third. Of FER-2013, 0.5 % have more."""

MOST_TURNED = 0.35
"""See `turn`: beyond it FER-2013 shows profiles, about one image in fifteen."""


class QualityFlag(StrEnum):
    """A reason to doubt the scores of a face."""

    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    TURNED = "turned"

    @property
    def text(self) -> str:
        """The flag in words."""
        return self.value.replace("_", " ")


def assess(
    crop: npt.NDArray[np.uint8], frame: Box, landmarks: npt.NDArray[np.float32] | None
) -> tuple[QualityFlag, ...]:
    """Judges the picture of one face.

    Args:
        crop: What the network sees, `uint8` grey, shape `(48, 48)`.
        frame: The square it was cut from, in pixels of the image.
        landmarks: As in `detectors.Face`; without them nobody is found turned.

    Returns:
        What is wrong, in the order of `QualityFlag`; empty when nothing is.
    """
    found = {
        QualityFlag.TOO_SMALL: frame.w < LEAST_SIDE,
        QualityFlag.BLURRED: sharpness(crop) < LEAST_SHARPNESS,
        QualityFlag.DARK: np.percentile(crop, 90) < LEAST_BRIGHT,
        QualityFlag.OVEREXPOSED: (crop >= BURNT).mean() > MOST_BURNT,
        QualityFlag.TURNED: landmarks is not None and turn(landmarks) > MOST_TURNED,
    }
    return tuple(flag for flag, is_so in found.items() if is_so)


def sharpness(crop: npt.NDArray[np.uint8]) -> float:
    """Fine detail relative to contrast: spread of the Laplacian over spread of the grey values.

    After the variance of the Laplacian (Pech-Pacheco et al. 2000,
    doi:10.1109/ICPR.2000.903548), made independent of contrast and, since it is
    taken from crops of one size, of the face's size.

    Args:
        crop: `uint8` grey, shape `(48, 48)`.

    Returns:
        At least 0; FER-2013's images have 0.57 to 1.24 (5th to 95th percentile).
    """
    contrast = float(crop.std())
    if not contrast:
        return 0.0
    return float(cv2.Laplacian(crop, cv2.CV_32F).std()) / contrast


def turn(landmarks: npt.NDArray[np.float32]) -> float:
    """How far the head is turned to a side.

    Args:
        landmarks: As in `detectors.Face`.

    Returns:
        Distance of the nose's tip from the middle between the eyes, along
        their line, as a share of their distance: 0 from the front, 0.5 when
        the nose is below an eye.
    """
    eyes = landmarks[1] - landmarks[0]
    squared = float(eyes @ eyes)
    if not squared:
        return float("inf")  # one eye hides the other: a profile
    along = float((landmarks[2] - landmarks[0]) @ eyes) / squared
    return abs(along - 0.5)
