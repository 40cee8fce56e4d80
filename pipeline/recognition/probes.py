"""Probe faces: a few faces that travel with a model, and what training made of them.

Whoever loads the model scores them again. A wrong weight file, a broken
conversion, another preprocessing: each shows here, not in front of a user.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.errors import ImageFormatError, ModelLoadError
from pipeline.files import ARRAYS_DAMAGED
from pipeline.labels import NUM_EMOTIONS
from pipeline.preprocessing import Preprocessing

PROBES = "probes.npz"

SCORE_TOLERANCE = 1e-3
"""Largest difference between two scores of one face that still count as equal.

Keras and ONNX Runtime, both in `float32` on a CPU, differ by about 1e-6. A
network with a layer lost or the weights mixed up differs by tenths.
"""

INPUT_TOLERANCE = 2.0
"""Largest mean difference of a preprocessed face, in grey levels, that still counts as equal.

Another processor may round a resized pixel to the next level; CLAHE switched on
or off moves pixels by tens.
"""


@dataclass(frozen=True)
class Probes:
    """The content of `probes.npz`.

    Attributes:
        faces: As a dataset holds them, `uint8` grey in `[0, 255]`, shape
            `(n, height, width)`; `n` is at least 1.
        inputs: The same, preprocessed: `uint8`, shape `(n, size, size, 1)`.
        scores: What the Keras model gave for `inputs`, uncalibrated, or the
            members of an ensemble on average: `float32`, shape `(n, 7)`.

    Raises:
        ModelLoadError: If the arrays do not fit together.
    """

    faces: npt.NDArray[np.uint8]
    inputs: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        num_probes = len(self.faces)
        if (
            not num_probes
            or self.inputs.dtype != np.uint8
            or self.inputs.ndim != 4
            or len(self.inputs) != num_probes
            or self.scores.dtype != np.float32
            or self.scores.shape != (num_probes, NUM_EMOTIONS)
        ):
            raise ModelLoadError(
                f"expected n faces with n inputs and n×{NUM_EMOTIONS} scores, got shapes "
                f"{self.faces.shape}, {self.inputs.shape} and {self.scores.shape}"
            )

    @classmethod
    def load(cls, folder: Path) -> Probes:
        """Reads `probes.npz` from a model's folder.

        Raises:
            ModelLoadError: If it is missing or damaged.
        """
        path = folder / PROBES
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["faces"], arrays["inputs"], arrays["scores"])
        except FileNotFoundError as error:
            raise ModelLoadError(f"{folder} holds no model: {PROBES} is missing") from error
        except (*ARRAYS_DAMAGED, ModelLoadError) as error:
            raise ModelLoadError(f"{path} is damaged: {error}") from error

    def save(self, folder: Path) -> None:
        """Writes `probes.npz` into a model's folder."""
        np.savez_compressed(
            folder / PROBES, faces=self.faces, inputs=self.inputs, scores=self.scores
        )

    def check_preprocessing(self, preprocessing: Preprocessing) -> None:
        """Checks that preprocessing still makes of the faces what it made in training.

        Raises:
            ModelLoadError: If it does not.
        """
        try:
            made = preprocessing.apply(self.faces)
        except ImageFormatError as error:
            raise ModelLoadError(f"the probe faces are unusable: {error}") from error
        if made.shape != self.inputs.shape:
            raise ModelLoadError(
                f"preprocessing gives inputs of shape {made.shape}, expected {self.inputs.shape} "
                "as in training"
            )
        difference = np.abs(made.astype(np.int16) - self.inputs).mean(axis=(1, 2, 3)).max()
        if difference > INPUT_TOLERANCE:
            raise ModelLoadError(
                f"preprocessing gives inputs that differ from those of training by "
                f"{difference:.1f} grey levels (allowed: {INPUT_TOLERANCE:g})"
            )

    def check_scores(self, found: npt.NDArray[np.float32]) -> None:
        """Checks scores of `inputs` that something other than the Keras model gave.

        Args:
            found: `float32`, shape `(n, 7)`, uncalibrated.

        Raises:
            ModelLoadError: If they differ by more than `SCORE_TOLERANCE`.
        """
        if found.shape != self.scores.shape:
            raise ModelLoadError(f"expected scores of {self.scores.shape}, got {found.shape}")
        worst = float(np.abs(found - self.scores).max())
        # Written so that not-a-number fails too.
        if not worst <= SCORE_TOLERANCE:
            raise ModelLoadError(
                "the probe faces score differently from when the model was made, by up to "
                f"{worst:.3g} (allowed: {SCORE_TOLERANCE:g})"
            )
