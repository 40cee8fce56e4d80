"""A grey canvas that is drawn on in the coordinates of a turning head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import comb

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

# OpenCV takes fixed-point coordinates: 4 fractional bits.
_FRACTION_BITS = 4
# The half axes of the head, thought of as an ellipsoid.
_HALF_WIDTH, _HALF_HEIGHT, _HALF_DEPTH = 0.9, 1.15, 0.75


@dataclass(frozen=True)
class Pose:
    """How the head is held.

    Attributes:
        roll: Tilt towards a shoulder, in radians.
        yaw: Turn to the side, in radians.
        pitch: Nod, in radians.
        scale: Half the head's height, as a share of the canvas' side.
        center: Where the middle of the head is, as shares of the canvas' side.
    """

    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    scale: float = 0.48
    center: tuple[float, float] = (0.5, 0.49)


class Canvas:
    """Draws shapes on a head.

    A point `(x, y)` is given in half head heights from the middle of the face:
    `x` to the viewer's right, `y` down, the chin near `(0, 1)`. It is thought to
    lie on an ellipsoid, so that a turn of the head moves the nose more than the
    ears.
    """

    def __init__(self, side: int, pose: Pose, tone: float = 128) -> None:
        self.pixels: npt.NDArray[np.uint8] = np.full((side, side), tone, np.uint8)
        self._pose = pose

    def fill(
        self, points: Points, tone: float, *, depth: float = 1.0, opacity: float = 1.0
    ) -> None:
        """Fills a closed outline.

        Args:
            points: Shape `(k, 2)`.
            tone: Grey value in `[0, 255]`.
            depth: Share of the ellipsoid's height that the shape lies at; 0 for
                what is in the plane of the ears.
            opacity: In `[0, 1]`.
        """
        target = self.pixels if opacity == 1 else self.pixels.copy()
        outline = self._project(points, depth)
        cv2.fillPoly(target, [outline], _grey(tone), cv2.LINE_AA, _FRACTION_BITS)
        if opacity != 1:
            blend = cv2.addWeighted(target, opacity, self.pixels, 1 - opacity, 0)
            self.pixels = np.asarray(blend, np.uint8)

    def stroke(
        self, points: Points, tone: float, width: float, *, depth: float = 1.0, closed: bool = False
    ) -> None:
        """Draws a line of a width given in half head heights."""
        thickness = max(1, round(width * self._pose.scale * len(self.pixels)))
        line = self._project(points, depth)
        cv2.polylines(
            self.pixels, [line], closed, _grey(tone), thickness, cv2.LINE_AA, _FRACTION_BITS
        )

    @contextmanager
    def clipped(self, points: Points) -> Iterator[None]:
        """Keeps what is drawn in the block inside an outline."""
        before = self.pixels.copy()
        yield
        inside = np.zeros_like(before)
        outline = self._project(points, 1.0)
        cv2.fillPoly(inside, [outline], _grey(255), cv2.LINE_8, _FRACTION_BITS)
        self.pixels = np.where(inside > 0, self.pixels, before)

    def _project(self, points: Points, depth: float) -> npt.NDArray[np.int32]:
        pose = self._pose
        x, y = points[:, 0], points[:, 1]
        height = 1 - (x / _HALF_WIDTH) ** 2 - (y / _HALF_HEIGHT) ** 2
        z = _HALF_DEPTH * depth * np.sqrt(np.maximum(height, 0))
        turned = np.empty_like(points)
        turned[:, 0] = x * np.cos(pose.yaw) + z * np.sin(pose.yaw)
        turned[:, 1] = y * np.cos(pose.pitch) + z * np.sin(pose.pitch)
        cos, sin = np.cos(pose.roll), np.sin(pose.roll)
        placed = turned @ np.array([[cos, sin], [-sin, cos]]) * pose.scale + pose.center
        return np.rint(placed * (len(self.pixels) << _FRACTION_BITS)).astype(np.int32)


def ellipse(x: float, y: float, width: float, height: float) -> Points:
    """The outline of an ellipse around `(x, y)` with these half axes."""
    return _circle() * (width, height) + (x, y)


def curve(*knots: tuple[float, float]) -> Points:
    """A Bézier curve: through the first and last knot, drawn to those between."""
    return _bernstein(len(knots)) @ np.array(knots)


@cache
def _circle() -> Points:
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@cache
def _bernstein(num_knots: int) -> npt.NDArray[np.float64]:
    """The weight of each knot at 14 places along a curve."""
    share = np.linspace(0, 1, 14)[:, None]
    power = np.arange(num_knots)
    ways = np.array([comb(num_knots - 1, knot) for knot in power])
    return ways * share**power * (1 - share) ** power[::-1]


def moved_down(points: Points, by: float) -> Points:
    """The same, further down."""
    return points + np.array([0.0, by])


def mirrored(points: Points) -> Points:
    """The same on the other side of the face."""
    return points * (-1, 1)


def _grey(tone: float) -> tuple[int]:
    return (int(np.clip(tone, 0, 255)),)
