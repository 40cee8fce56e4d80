"""Key moments: where somebody's expression was at its clearest.

A person's smoothed scores name one emotion for a stretch of time, then
another. Each stretch in which the same emotion is named for at least
`LEAST_STRETCH`, and that is neither neutral nor unsure, gives one key moment:
the sample at which its smoothed probability is highest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.labels import EMOTIONS, Emotion, label_index
from pipeline.recognition.geometry import Box
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.tracker import MAX_GAP

LEAST_STRETCH = 1.0
"""Seconds from the first sample of a stretch to its last."""

THUMBNAIL_SIDE = 160
"""Of the square pictures, in pixels."""

_NEUTRAL = EMOTIONS[label_index("neutral")]
# How much is shown around a face, as a share of the box's longer side.
_AROUND = 0.35
_JPEG_QUALITY = 88


@dataclass(frozen=True, eq=False)
class KeyMoment:
    """The peak of a stretch of one emotion.

    Attributes:
        track: The person's track.
        emotion: What the smoothed scores named.
        start: First sample of the stretch, in seconds.
        end: Last sample of the stretch, in seconds.
        time: The peak, in seconds.
        confidence: The smoothed probability at the peak.
        thumbnail: The face at the peak as JPEG, `THUMBNAIL_SIDE` pixels square.
    """

    track: int
    emotion: Emotion
    start: float
    end: float
    time: float
    confidence: float
    thumbnail: bytes

    def to_dict(self) -> dict[str, Any]:
        """The moment as the files write it, without its picture."""
        return {
            "track": self.track,
            "emotion": self.emotion.title,
            "time_ms": round(1000 * self.time),
            "start_ms": round(1000 * self.start),
            "end_ms": round(1000 * self.end),
            "confidence": round(self.confidence, 4),
        }


@dataclass
class _Stretch:
    emotion: Emotion
    start: float
    end: float
    peak: float
    confidence: float
    picture: npt.NDArray[np.uint8]


class MomentFinder:
    """Collects the key moments while a video is analysed; it keeps no frame.

    Args:
        max_gap: Seconds after which a face that was not seen is not coming back
            with its track; as the `Tracker` has it.
    """

    def __init__(self, max_gap: float = MAX_GAP) -> None:
        self._max_gap = max_gap
        self._open: dict[int, _Stretch] = {}
        self._found: list[KeyMoment] = []

    def update(
        self, image: npt.NDArray[np.uint8], faces: list[TrackedPrediction], time: float
    ) -> None:
        """Takes the next sample.

        Args:
            image: `uint8` RGB, shape `(height, width, 3)`.
            faces: Who was found in it.
            time: In seconds.
        """
        # In a crowd, the pictures of all who ever passed would fill the memory.
        gone = [track for track, kept in self._open.items() if time - kept.end > self._max_gap]
        for track in gone:
            self._close(track)
        for face in faces:
            said = face.smoothed
            stretch = self._open.get(face.track)
            if stretch is not None and (said.unsure or said.emotion is not stretch.emotion):
                self._close(face.track)
                stretch = None
            if said.unsure or said.emotion is _NEUTRAL:
                continue
            if stretch is None:
                self._open[face.track] = _Stretch(
                    said.emotion, time, time, time, said.confidence, _portrait(image, said.box)
                )
                continue
            stretch.end = time
            if said.confidence > stretch.confidence:
                stretch.peak, stretch.confidence = time, said.confidence
                stretch.picture = _portrait(image, said.box)

    def finish(self) -> tuple[KeyMoment, ...]:
        """All key moments in order of time; after the last sample."""
        for track in list(self._open):
            self._close(track)
        return tuple(sorted(self._found, key=lambda moment: (moment.time, moment.track)))

    def _close(self, track: int) -> None:
        stretch = self._open.pop(track)
        if stretch.end - stretch.start < LEAST_STRETCH:
            return
        self._found.append(
            KeyMoment(
                track=track,
                emotion=stretch.emotion,
                start=stretch.start,
                end=stretch.end,
                time=stretch.peak,
                confidence=stretch.confidence,
                thumbnail=_jpeg(stretch.picture),
            )
        )


def _portrait(image: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """The face with something around it; beyond the image its edge is repeated."""
    side = max(round(max(box.w, box.h) * (1 + 2 * _AROUND)), 1)
    x, y = box.center
    height, width = image.shape[:2]
    columns = (np.arange(side) + round(x - side / 2)).clip(0, width - 1)
    rows = (np.arange(side) + round(y - side / 2)).clip(0, height - 1)
    method = cv2.INTER_AREA if side > THUMBNAIL_SIDE else cv2.INTER_CUBIC
    patch = image[np.ix_(rows, columns)]
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.asarray(cv2.resize(patch, size, interpolation=method), np.uint8)


def _jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return data.tobytes()
