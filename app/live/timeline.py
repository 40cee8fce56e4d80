"""What was seen in a live session, in memory and bounded; nothing goes to disk."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE
from pipeline.labels import NUM_EMOTIONS
from pipeline.recognition.geometry import Box
from pipeline.recognition.quality import QualityFlag
from pipeline.recognition.recognizer import Prediction
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample
from pipeline.recognition.video.results import to_csv

INTERVAL = 0.2
"""Seconds between two samples at least."""

MOST_ROWS = 54_000
"""An hour of three people, about 16 MB; of a longer session the last part is kept."""

_GAP = 1.0
_FLAGS = tuple(QualityFlag)
_NO_CROP = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)

# A face of a sample is kept as numbers only: its time, its track, its box, the detector's score,
# the threshold, its quality flags as bits, seven scores of the frame alone, seven smoothed. As
# objects it would take ten times the memory.
_TIME, _TRACK, _BOX, _SCORE, _THRESHOLD, _BITS = 0, 1, slice(2, 6), 6, 7, 8
_RAW, _SMOOTHED = slice(9, 9 + NUM_EMOTIONS), slice(9 + NUM_EMOTIONS, 9 + 2 * NUM_EMOTIONS)

_Row = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One person's recent scores.

    Attributes:
        times: In seconds since the start of the session, ascending, shape `(n,)`.
        scores: Smoothed, in `[0, 1]`, `float32`, shape `(n, 7)`.
        gaps: Indices before which the person was out of view.
    """

    times: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]
    gaps: tuple[int, ...]


class Timeline:
    """The samples of one session; threads may share it.

    Args:
        most: How many faces of samples are kept at most.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._lock = threading.Lock()
        self._rows: deque[_Row] = deque(maxlen=most)
        self._last = -math.inf

    def __len__(self) -> int:
        with self._lock:
            return len(self._rows)

    def add(self, time: float, faces: Sequence[TrackedPrediction]) -> None:
        """Takes a sample, unless the last one is too recent.

        Args:
            time: In seconds since the start of the session, not before the last.
            faces: Who was in view.
        """
        with self._lock:
            if time - self._last >= INTERVAL:
                self._last = time
                self._rows.extend(_packed(time, face) for face in faces)

    def series(self, since: float) -> dict[int, Series]:
        """Everyone's scores from a time on, by track, those seen most often first."""
        with self._lock:
            recent = list(takewhile(lambda row: row[_TIME] >= since, reversed(self._rows)))
        tracks: dict[int, list[_Row]] = {}
        for row in reversed(recent):
            tracks.setdefault(int(row[_TRACK]), []).append(row)
        ranked = sorted(tracks.items(), key=lambda item: len(item[1]), reverse=True)
        return {track: _series(rows) for track, rows in ranked}

    def to_csv(self) -> str:
        """All samples as the video page's CSV: one row for each face of each sample."""
        with self._lock:
            rows = list(self._rows)
        return to_csv(Sample(float(row[_TIME]), (_unpacked(row),)) for row in rows)


def _series(rows: Sequence[_Row]) -> Series:
    table = np.array(rows)
    times = table[:, _TIME]
    gaps = 1 + np.flatnonzero(np.diff(times) > _GAP)
    return Series(times, table[:, _SMOOTHED].astype(np.float32), tuple(gaps.tolist()))


def _packed(time: float, face: TrackedPrediction) -> _Row:
    raw = face.raw
    bits = sum(1 << index for index, flag in enumerate(_FLAGS) if flag in raw.quality)
    box = (raw.box.x, raw.box.y, raw.box.w, raw.box.h)
    known = (time, face.track, *box, raw.detection_score, raw.unsure_below, bits)
    return np.array([*known, *raw.probabilities, *face.smoothed.probabilities], np.float64)


def _unpacked(row: _Row) -> TrackedPrediction:
    raw = Prediction(
        box=Box(*row[_BOX].tolist()),
        detection_score=float(row[_SCORE]),
        landmarks=None,
        probabilities=row[_RAW].astype(np.float32),
        unsure_below=float(row[_THRESHOLD]),
        quality=tuple(flag for index, flag in enumerate(_FLAGS) if int(row[_BITS]) >> index & 1),
        crop=_NO_CROP,
    )
    smoothed = replace(raw, probabilities=row[_SMOOTHED].astype(np.float32))
    return TrackedPrediction(int(row[_TRACK]), raw, smoothed)
