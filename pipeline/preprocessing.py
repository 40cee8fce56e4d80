"""From a face crop to a network's input: one function for training and for service.

A model must see in service what it saw in training, so training, evaluation,
photo, video and webcam all call `Preprocessing.apply`, and the settings travel
with the model in its contract.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.errors import ConfigError, ImageFormatError

INPUT_SIZES = (48, 64, 96, 128)


@dataclass(frozen=True)
class Preprocessing:
    """How a face crop becomes a network's input.

    The output keeps the range `[0, 255]`: each network carries its own
    normalisation as its first layer, so that it cannot be forgotten.

    Attributes:
        size: Height and width of the network's input, in pixels.
        clahe: Whether contrast is equalised locally (CLAHE, Zuiderveld 1994;
            clip limit 2, 8×8 tiles) before resizing.
    """

    size: int = 48
    clahe: bool = False

    def __post_init__(self) -> None:
        if self.size not in INPUT_SIZES:
            raise ConfigError(f"input size must be one of {INPUT_SIZES}, got {self.size}")

    def apply(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Prepares face crops.

        Args:
            faces: `uint8` in `[0, 255]`: grey of shape `(n, height, width)`, or
                RGB of shape `(n, height, width, 3)`; `n` may be 0.

        Returns:
            `uint8` grey in `[0, 255]`, shape `(n, size, size, 1)`.

        Raises:
            ImageFormatError: If `faces` has another dtype or shape.
        """
        if faces.dtype != np.uint8 or faces.ndim not in (3, 4):
            raise ImageFormatError(
                "expected uint8 faces of shape (n, height, width) or (n, height, width, 3), got "
                f"{faces.dtype} of shape {faces.shape}"
            )
        if faces.ndim == 4 and faces.shape[3] != 3:
            raise ImageFormatError(f"expected three colour channels, got {faces.shape[3]}")
        if 0 in faces.shape[1:3]:
            raise ImageFormatError(f"expected faces of at least one pixel, got shape {faces.shape}")
        if faces.ndim == 3 and not self.clahe and faces.shape[1:] == (self.size, self.size):
            return faces[..., None]
        output = np.empty((len(faces), self.size, self.size, 1), np.uint8)
        equalize = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)) if self.clahe else None
        for index, face in enumerate(faces):
            grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY) if face.ndim == 3 else face
            if equalize is not None:
                grey = equalize.apply(np.ascontiguousarray(grey))
            output[index, ..., 0] = self._resize(grey)
        return output

    def _resize(self, grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        if grey.shape == (self.size, self.size):
            return grey
        # Area averaging when shrinking keeps fine texture from aliasing.
        shrinks = min(grey.shape) > self.size
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(grey, (self.size, self.size), interpolation=method)
        return np.asarray(resized, np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, for a contract."""
        return asdict(self)
