"""The served classifier: face crops in, probabilities of the seven emotions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from pipeline.errors import ModelLoadError
from pipeline.labels import NAMES, NUM_EMOTIONS
from pipeline.recognition.contract import MODEL_ONNX, ModelContract
from pipeline.recognition.probes import Probes

BATCH_SIZE = 256
"""Faces that pass through the network at once: it bounds the memory of a large call."""

_LEAST = float(np.finfo(np.float32).tiny)

_ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.EngineError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotFound,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    UnicodeDecodeError,  # of a message that names a damaged part
)


@dataclass(frozen=True)
class EmotionScores:
    """Probabilities of the seven emotions for each of `n` faces.

    Attributes:
        probabilities: `float32` in `[0, 1]`, shape `(n, 7)`, columns in
            `labels.EMOTIONS` order; each row sums to 1; `n` may be 0.

    Raises:
        ModelLoadError: If the array is none of this: a network gave it that
            does not end in a softmax over seven, or that is damaged.
    """

    probabilities: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        found = self.probabilities
        if found.dtype != np.float32 or found.ndim != 2 or found.shape[1] != NUM_EMOTIONS:
            raise ModelLoadError(
                f"expected float32 scores of shape (n, {NUM_EMOTIONS}), got {found.dtype} of shape "
                f"{found.shape}"
            )
        # Written so that not-a-number fails too.
        in_range = (found >= -1e-6) & (found <= 1 + 1e-6)
        if not in_range.all() or not (np.abs(found.sum(axis=1) - 1) <= 1e-3).all():
            raise ModelLoadError(
                "expected scores in [0, 1] that sum to 1 for each face: does the network end in a "
                "softmax?"
            )

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def labels(self) -> npt.NDArray[np.intp]:
        """The most probable emotion of each face, index into `labels.EMOTIONS`, shape `(n,)`."""
        return self.probabilities.argmax(axis=1)

    @property
    def names(self) -> list[str]:
        """The most probable emotion of each face, by name."""
        return [NAMES[label] for label in self.labels]

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """The highest probability of each face, `float32`, shape `(n,)`."""
        return self.probabilities.max(axis=1)


def with_temperature(
    probabilities: npt.NDArray[np.floating[Any]], temperature: float
) -> npt.NDArray[np.float32]:
    """Softens (above 1) or sharpens (below 1) probabilities; their order stays.

    `softmax(log p / T)` equals `softmax(logits / T)`, since a softmax forgets
    what is added to all logits alike: temperature scaling (Guo et al. 2017,
    arXiv:1706.04599) of a network that ends in a softmax.

    Args:
        probabilities: In `[0, 1]`, shape `(n, 7)`, rows summing to 1.
        temperature: Above 0.

    Returns:
        `float32`, same shape.
    """
    # A probability that underflowed to zero becomes the least float32 above it.
    logits = np.log(np.maximum(probabilities.astype(np.float64), _LEAST)) / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


class EmotionClassifier:
    """A trained network as it is served: contract and ONNX Runtime session together.

    Threads may share one instance: it holds nothing that a call changes.
    """

    def __init__(
        self, contract: ModelContract, folder: Path, session: onnxruntime.InferenceSession
    ) -> None:
        self.contract = contract
        self.folder = folder
        self._session = session
        self._input_name: str = session.get_inputs()[0].name

    @classmethod
    def load(cls, folder: Path, *, num_threads: int | None = None) -> EmotionClassifier:
        """Loads a model's folder and checks that it scores as it did in Keras.

        Args:
            folder: Holds what `recognition.contract` lists.
            num_threads: How many threads one call uses; `None` leaves it to
                ONNX Runtime, which takes one for each physical core.

        Raises:
            ModelLoadError: If a file is missing or damaged, or if preprocessing
                or scores of the stored probe faces are not the stored ones.
        """
        contract = ModelContract.load(folder)
        probes = Probes.load(folder)
        classifier = cls(contract, folder, open_session(folder / MODEL_ONNX, num_threads))
        classifier._check_signature()
        classifier._check_probes(probes)
        return classifier

    def scores(self, faces: npt.NDArray[np.uint8], *, calibrated: bool = True) -> EmotionScores:
        """Scores the seven emotions for each face crop.

        Args:
            faces: `uint8` in `[0, 255]`: grey of shape `(n, height, width)`, or
                RGB of shape `(n, height, width, 3)`; `n` may be 0.
            calibrated: Whether the contract's temperature is applied, so that
                70 % means right seven times in ten.

        Returns:
            One row for each face, in order.

        Raises:
            ImageFormatError: If `faces` has another dtype or shape.
        """
        parts = [
            self._probabilities(
                self.contract.preprocessing.apply(faces[start : start + BATCH_SIZE])
            )
            for start in range(0, max(len(faces), 1), BATCH_SIZE)
        ]
        probabilities = np.concatenate(parts)
        if calibrated:
            probabilities = with_temperature(probabilities, self.contract.temperature)
        return EmotionScores(probabilities)

    def _probabilities(self, inputs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if not len(inputs):  # not every operator takes an empty batch
            return np.empty((0, NUM_EMOTIONS), np.float32)
        feed = {self._input_name: inputs.astype(np.float32)}
        return np.asarray(self._session.run(None, feed)[0])

    def _check_signature(self) -> None:
        size = self.contract.preprocessing.size
        found = self._session.get_inputs()[0]
        if found.type != "tensor(float)" or list(found.shape[1:]) != [size, size, 1]:
            raise ModelLoadError(
                f"{self.folder / MODEL_ONNX} takes {found.type} of shape {found.shape}, but its "
                f"contract promises float32 of shape (n, {size}, {size}, 1)"
            )

    def _check_probes(self, probes: Probes) -> None:
        try:
            probes.check_preprocessing(self.contract.preprocessing)
            probes.check_scores(EmotionScores(self._probabilities(probes.inputs)).probabilities)
        except (ModelLoadError, *_ORT_ERRORS) as error:
            raise ModelLoadError(
                f"the model in {self.folder} is not as it left training: {error}; export it again"
            ) from error


def open_session(
    path: Path,
    num_threads: int | None = None,
    *,
    content: bytes | None = None,
) -> onnxruntime.InferenceSession:
    """Opens a network in ONNX Runtime, set up as models are served here.

    Args:
        path: The ONNX file.
        num_threads: How many threads one call uses; `None` leaves it to ONNX
            Runtime, which takes one for each physical core.
        content: Opened instead of what the file holds.

    Raises:
        ModelLoadError: If it is missing or not a network that can be run.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors come as exceptions; warnings are not for users
    # Threads that wait by spinning gain nothing on a laptop that also decodes and detects: they
    # cost 7.1 ms of processor time for one face, without them 4.0 ms, at the same latency.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if num_threads is not None:
        options.intra_op_num_threads = num_threads
    try:
        return onnxruntime.InferenceSession(
            path.read_bytes() if content is None else content,
            options,
            providers=["CPUExecutionProvider"],
        )
    except FileNotFoundError as error:
        raise ModelLoadError(f"{path.parent} holds no model: {path.name} is missing") from error
    except (OSError, *_ORT_ERRORS) as error:
        raise ModelLoadError(f"{path} is not a readable ONNX model: {error}") from error
