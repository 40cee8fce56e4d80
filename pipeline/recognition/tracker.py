"""Who is who from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ConfigError
from pipeline.recognition.geometry import Box, iou

MAX_GAP = 1.0
"""Seconds that a face may stay unseen and keep its track."""

# Two boxes of one size score -0.2 side by side and -0.3 half a width further apart.
_LEAST_MATCH = -0.3
# What the place where a face was last scores less than the place it should have come to: enough
# to decide between two that fit equally well.
_MOTION_FIRST = 0.03
_VELOCITY_TIME = 0.2
_NEVER = 1e6


@dataclass
class Track:
    """One face over time.

    Attributes:
        id: Counts up from 1; never given twice.
        box: Where the face was last seen.
        first_seen: In seconds.
        last_seen: In seconds.
        velocity: Of the box's middle, in pixels a second, `(x, y)`.
    """

    id: int
    box: Box
    first_seen: float
    last_seen: float
    velocity: tuple[float, float] = (0.0, 0.0)

    def predicted(self, time: float) -> Box:
        """Where the face should be if it went on as it last moved."""
        elapsed = time - self.last_seen
        return Box(
            self.box.x + self.velocity[0] * elapsed,
            self.box.y + self.velocity[1] * elapsed,
            self.box.w,
            self.box.h,
        )

    def move(self, box: Box, time: float) -> None:
        """Takes the face's new place."""
        elapsed = time - self.last_seen
        if elapsed > 0:
            # A running mean over time, so that it does not depend on the frame rate; the first
            # step is all there is to go by.
            is_second = self.last_seen == self.first_seen
            share = 1.0 if is_second else 1 - math.exp(-elapsed / _VELOCITY_TIME)
            self.velocity = (
                self._blend(
                    self.velocity[0], (box.center[0] - self.box.center[0]) / elapsed, share
                ),
                self._blend(
                    self.velocity[1], (box.center[1] - self.box.center[1]) / elapsed, share
                ),
            )
        self.box = box
        self.last_seen = time

    @staticmethod
    def _blend(old: float, new: float, share: float) -> float:
        return old + share * (new - old)


class Tracker:
    """Gives each face of a video an id that stays.

    Faces are matched to where the tracks should be by now, all at once, by
    distance-IoU (Zheng et al. 2020, arXiv:1911.08287), which also tells near
    from far where boxes do not meet; the motion model is a constant velocity,
    in the manner of SORT (Bewley et al. 2016, arXiv:1602.00763). Between rare
    frames a face may have turned back: where it was last counts as well.

    Args:
        max_gap: Seconds that a face may stay unseen and keep its track; more
            than the time between two frames.

    Raises:
        ConfigError: If the gap is not positive.
    """

    def __init__(self, max_gap: float = MAX_GAP) -> None:
        if not max_gap > 0:
            raise ConfigError(f"the longest gap must be above 0 seconds, got {max_gap}")
        self._max_gap = max_gap
        self._tracks: list[Track] = []
        self._count = 0
        self._time = -math.inf

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks that a face may still be matched to, seen or unseen."""
        return tuple(self._tracks)

    def forget(self) -> None:
        """Ends all tracks; their ids are not given again."""
        self._tracks = []

    def update(self, boxes: Sequence[Box], time: float) -> list[Track]:
        """Takes the faces of the next frame.

        Args:
            boxes: The faces, in any order.
            time: Of the frame, in seconds from any zero.

        Returns:
            The track of each face, in the order of `boxes`.

        Raises:
            ConfigError: If `time` lies before that of the last frame.
        """
        # Here, not above: the dashboard starts a third of a second earlier without it.
        from scipy.optimize import linear_sum_assignment

        if time < self._time:
            raise ConfigError(f"frames must come in order: got {time} s after {self._time} s")
        self._time = time
        self._tracks = [track for track in self._tracks if time - track.last_seen <= self._max_gap]
        found: dict[int, Track] = {}
        match = np.maximum(
            _distance_iou([track.predicted(time) for track in self._tracks], boxes),
            _distance_iou([track.box for track in self._tracks], boxes) - _MOTION_FIRST,
        )
        cost = np.where(match >= _LEAST_MATCH, 1 - match, _NEVER)
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] < _NEVER:
                found[int(column)] = self._tracks[row]
        for index, box in enumerate(boxes):
            if index in found:
                found[index].move(box, time)
            else:
                found[index] = self._start(box, time)
        return [found[index] for index in range(len(boxes))]

    def _start(self, box: Box, time: float) -> Track:
        self._count += 1
        track = Track(self._count, box, first_seen=time, last_seen=time)
        self._tracks.append(track)
        return track


def _distance_iou(first: Sequence[Box], second: Sequence[Box]) -> npt.NDArray[np.float64]:
    """Intersection over union, less squared distance over the squared diagonal of both."""
    match = iou(first, second)
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            width = max(one.x + one.w, other.x + other.w) - min(one.x, other.x)
            height = max(one.y + one.h, other.y + other.h) - min(one.y, other.y)
            apart = math.dist(one.center, other.center)
            match[row, column] -= apart**2 / max(width**2 + height**2, 1e-9)
    return match
