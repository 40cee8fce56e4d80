"""Cuts, at which a video goes on somewhere else, with other people in the same places."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.recognition.video.reading import Frame

LEAST_ALIKE = 0.7
"""Correlation of two frames' thumbnails, from -1 to 1, below which it is a cut.

In webcam clips, and in one with people walking up, that of neighbouring frames was
0.991 or more; between the end of one clip and the beginning of another it was 0.36 to
0.62. A camera that turns by a tenth of the picture from one frame to the next comes to
0.56: who is in view then has another place anyway.
"""

_SIZE = 32, 18
_LEAST_CONTRAST = 3.0


class CutFinder:
    """Looks for cuts in all frames that pass, whether or not faces are looked for in them.

    Thumbnails in CIELAB are correlated with those of the frame before, so that a
    lamp that goes on, or a camera that adjusts its exposure, is no cut. Frames of
    one colour are passed over: a flash, or a hand over the lens, is none either.
    A fade from one shot to another goes unnoticed.
    """

    def __init__(self) -> None:
        self._last: npt.NDArray[np.float32] | None = None
        self._found = False

    def watch(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Passes all frames on, in order.

        Raises:
            VideoFormatError: If a frame's pixels cannot be converted.
        """
        for frame in frames:
            thumbnail = _centred(frame.thumbnail(*_SIZE))
            if thumbnail.std() >= _LEAST_CONTRAST:
                if self._last is not None:
                    self._found |= _correlation(thumbnail, self._last) < LEAST_ALIKE
                self._last = thumbnail
            yield frame

    def passed(self) -> bool:
        """Whether there was a cut since this was asked before."""
        found, self._found = self._found, False
        return found


def _centred(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """In CIELAB, each channel less its mean."""
    lab = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray(lab - lab.mean(axis=(0, 1)), np.float32)


def _correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(np.vdot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))
