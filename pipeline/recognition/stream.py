"""Recognition over time: predictions with a track, raw and smoothed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.smoothing import TIME_CONSTANT, ScoreSmoother
from pipeline.recognition.tracker import MAX_GAP, Tracker


@dataclass(frozen=True, eq=False)
class TrackedPrediction:
    """What is said of one face of a video at one moment.

    Attributes:
        track: Id of the person's track, from 1.
        raw: From this frame alone.
        smoothed: The same face with scores averaged over time.
    """

    track: int
    raw: Prediction
    smoothed: Prediction

    def to_dict(self) -> dict[str, Any]:
        """The smoothed prediction as the JSON API writes it, with its `track`."""
        return {**self.smoothed.to_dict(), "track": self.track}


class RecognitionStream:
    """Follows the faces of one video; for one thread at a time.

    Args:
        recognizer: Scores each frame.
        time_constant: Of the smoothing, in seconds; see `ScoreSmoother`.
        max_gap: Seconds that a face may stay unseen; see `Tracker`.

    Raises:
        ConfigError: If one of the times is out of range.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        time_constant: float = TIME_CONSTANT,
        max_gap: float = MAX_GAP,
    ) -> None:
        self._recognizer = recognizer
        self._tracker = Tracker(max_gap)
        self._smoother = ScoreSmoother(time_constant)

    def change(self, recognizer: Recognizer, *, time_constant: float) -> None:
        """Goes on in another way: who is followed keeps the track, and smoothing begins anew.

        Args:
            recognizer: Scores each frame from now on.
            time_constant: Of the smoothing, in seconds.

        Raises:
            ConfigError: If the time constant is negative.
        """
        self._smoother = ScoreSmoother(time_constant)
        self._recognizer = recognizer

    def forget(self) -> None:
        """Ends all tracks: whoever is seen next is new, as after a cut."""
        self._tracker.forget()
        self._smoother.keep([])

    def update(self, image: npt.NDArray[np.uint8], time: float) -> list[TrackedPrediction]:
        """Scores the next frame.

        Args:
            image: `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`.
            time: Of the frame, in seconds from any zero.

        Returns:
            One prediction for each face, by rising track id.

        Raises:
            ImageFormatError: If `image` has another dtype or shape.
            ConfigError: If `time` lies before that of the last frame.
        """
        predictions = self._recognizer.recognize(image)
        tracks = self._tracker.update([raw.box for raw in predictions], time)
        tracked = []
        for track, raw in zip(tracks, predictions, strict=True):
            scores = self._smoother.update(track.id, raw.probabilities, time)
            tracked.append(TrackedPrediction(track.id, raw, replace(raw, probabilities=scores)))
        self._smoother.keep([track.id for track in self._tracker.tracks])
        return sorted(tracked, key=lambda prediction: prediction.track)
