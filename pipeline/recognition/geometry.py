"""Boxes, and the square that a network sees around a detected face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.dataset import IMAGE_SIZE

_DIAGONAL = math.sqrt(2)


@dataclass(frozen=True)
class Box:
    """An upright rectangle, in pixels of the image.

    Attributes:
        x: The left edge.
        y: The upper edge.
        w: The width.
        h: The height.
    """

    x: float
    y: float
    w: float
    h: float

    @property
    def center(self) -> tuple[float, float]:
        """The middle, as `(x, y)`."""
        return self.x + self.w / 2, self.y + self.h / 2

    def clipped(self, width: int, height: int) -> Box:
        """The part inside an image; a side is 0 where they do not meet."""
        left, right = (min(max(edge, 0.0), float(width)) for edge in (self.x, self.x + self.w))
        top, bottom = (min(max(edge, 0.0), float(height)) for edge in (self.y, self.y + self.h))
        return Box(left, top, right - left, bottom - top)

    def rounded(self) -> tuple[int, int, int, int]:
        """`(x, y, w, h)` in whole pixels; both sides are at least 1."""
        x, y = round(self.x), round(self.y)
        return x, y, max(round(self.x + self.w) - x, 1), max(round(self.y + self.h) - y, 1)


@dataclass(frozen=True)
class Framing:
    """Where the frame of a FER-2013 image lies around a detector's box.

    A network must see a face framed as it saw faces in training, and each
    detector draws its boxes in its own way. The frame is a square of side
    `scale · √(w · h)`; the figures of each detector are measured with
    `bench/framing.py`.

    Attributes:
        scale: Side of the frame, as a share of the box's mean side.
        down: How far the frame's middle lies below the box's, as a share of the
            frame's side.
    """

    scale: float = 1.0
    down: float = 0.0

    def frame(self, box: Box, margin: float = 0.0) -> Box:
        """The square around a face.

        Args:
            box: The face as detected.
            margin: What to add beyond FER-2013's frame, as a share of its side
                on each of the four sides.

        Returns:
            A square in pixels of the image, which it may leave.
        """
        side = self.scale * math.sqrt(box.w * box.h)
        x, y = box.center
        y += self.down * side
        side *= 1 + 2 * margin
        return Box(x - side / 2, y - side / 2, side, side)


def crop(
    image: npt.NDArray[np.uint8], frame: Box, *, size: int = IMAGE_SIZE, angle: float = 0.0
) -> npt.NDArray[np.uint8]:
    """Cuts a square out and brings it to the form of a FER-2013 image.

    Outside the image, its nearest pixel is repeated.

    Args:
        image: `uint8` RGB, shape `(height, width, 3)`.
        frame: The square, in pixels of the image.
        size: Side of the result in pixels.
        angle: The face's slope in degrees, clockwise in the image; the result
            is turned back by it, around the middle of the frame.

    Returns:
        `uint8` grey in `[0, 255]`, shape `(size, size)`.
    """
    side = max(round(frame.w), 1)
    # A square that holds the turned one has its diagonal as side.
    reach = math.ceil(side * _DIAGONAL) if angle else side
    x, y = frame.center
    columns = np.arange(reach) + round(x - reach / 2)
    rows = np.arange(reach) + round(y - reach / 2)
    height, width = image.shape[:2]
    patch = image[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    if angle:
        middle = (reach - 1) / 2
        turn = np.asarray(cv2.getRotationMatrix2D((middle, middle), angle, 1.0), np.float64)
        turn[:, 2] -= (reach - side) / 2  # the smaller square's corner becomes zero
        grey = cv2.warpAffine(grey, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (size, size), interpolation=method), np.uint8)


def eye_slope(landmarks: npt.NDArray[np.float32]) -> float:
    """The slope of the line between the eyes.

    Args:
        landmarks: As in `detectors.Face`, shape `(5, 2)`.

    Returns:
        Degrees in `(-180, 180]`, positive where the eye on the image's right
        lies lower.
    """
    x, y = landmarks[1] - landmarks[0]
    return math.degrees(math.atan2(y, x))


def iou(first: Sequence[Box], second: Sequence[Box]) -> npt.NDArray[np.float64]:
    """Intersection over union of every box of one list with every one of another.

    Returns:
        In `[0, 1]`, shape `(len(first), len(second))`.
    """
    shared, areas, others = _overlaps(first, second)
    union = areas[:, None] + others - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def containment(first: Sequence[Box], second: Sequence[Box]) -> npt.NDArray[np.float64]:
    """The share of the smaller box that lies in the other, for every pair of two lists.

    Returns:
        In `[0, 1]`, shape `(len(first), len(second))`.
    """
    shared, areas, others = _overlaps(first, second)
    smaller = np.minimum(areas[:, None], others)
    return np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)


def _overlaps(
    first: Sequence[Box], second: Sequence[Box]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Shared area of every pair, and the areas of both lists."""
    one, other = _edges(first), _edges(second)
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    return shared, *((edges[:, 2:] - edges[:, :2]).prod(axis=1) for edges in (one, other))


def _edges(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    edges = [(box.x, box.y, box.x + box.w, box.y + box.h) for box in boxes]
    return np.array(edges, np.float64).reshape(-1, 4)
