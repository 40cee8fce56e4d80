"""What a model answers on a split, computed once and kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError
from pipeline.evaluation.augmented import augmented_scores
from pipeline.files import keep_newest, read_arrays, write_arrays
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import BATCH_SIZE, EmotionClassifier, EmotionScores
from pipeline.recognition.contract import CONTRACT, MODEL_ONNX

MOST_KEPT = 256
"""Files that a store keeps; beyond that the longest unused go. One is 0.1 to 0.9 MB."""

_WARM_UP = 5
_TIMED = 30


@dataclass(frozen=True)
class Predictions:
    """A model's calibrated answers on the images of one split.

    Attributes:
        model: The model's name.
        split: Which part of the dataset.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
        indices: Positions of the images in the dataset, ascending, shape `(n,)`.
        labels: Their labels, `uint8`, shape `(n,)`.
        probabilities: `float32` in `[0, 1]`, shape `(n, 7)`.
        latency_ms: Median time for one face when this was computed, from crop to
            calibrated scores, milliseconds.
    """

    model: str
    split: Split
    tta: str
    indices: npt.NDArray[np.intp]
    labels: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]
    latency_ms: float

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def predicted(self) -> npt.NDArray[np.intp]:
        """The most probable emotion of each image, shape `(n,)`."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """The highest probability of each image, shape `(n,)`."""
        return self.probabilities.max(axis=1)

    @property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """Whether each answer equals the label, shape `(n,)`."""
        return np.asarray(self.predicted == self.labels)


def predict(
    classifier: EmotionClassifier,
    dataset: Dataset,
    split: Split,
    *,
    tta: str = "none",
    progress: Progress = no_progress,
) -> Predictions:
    """Scores every image of a split.

    Args:
        classifier: The served model.
        dataset: The dataset.
        split: Which of its parts.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
        progress: Told the images done.

    Raises:
        DatasetError: If the split is empty.
        ConfigError: If there is no such augmentation.
    """
    indices = dataset.indices(split)
    if not len(indices):
        raise DatasetError(f"dataset {dataset.name!r} has no image in its {split.value} split")

    def score(faces: npt.NDArray[np.uint8]) -> EmotionScores:
        return augmented_scores(classifier.scores, faces, tta)

    probabilities = in_batches(score, dataset, indices, progress, f"scoring {split.value}")
    return Predictions(
        model=classifier.contract.name,
        split=split,
        tta=tta,
        indices=indices,
        labels=np.asarray(dataset.labels[indices]),
        probabilities=probabilities,
        latency_ms=_latency_ms(score, dataset.images[indices[0]]),
    )


def in_batches(
    score: Callable[[npt.NDArray[np.uint8]], EmotionScores],
    dataset: Dataset,
    indices: npt.NDArray[np.intp],
    progress: Progress,
    doing: str,
) -> npt.NDArray[np.float32]:
    """Scores images of a dataset a batch at a time.

    Args:
        score: Takes `uint8` faces, shape `(n, height, width)`.
        dataset: Holds the images.
        indices: Their positions, at least one.
        progress: Told the images done.
        doing: What it is told that this is.

    Returns:
        Probabilities, shape `(len(indices), 7)`.
    """
    parts = []
    for start in range(0, len(indices), BATCH_SIZE):
        progress(start, len(indices), doing)
        parts.append(score(dataset.images[indices[start : start + BATCH_SIZE]]).probabilities)
    progress(len(indices), len(indices), doing)
    return np.concatenate(parts)


class PredictionStore:
    """Predictions on disk, found again by the content of model and dataset.

    They are told from the two alone, so the folder may be deleted at any time.

    Args:
        root: Where they are kept, such as `Home.cache`.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "predictions"

    def load(
        self, model: Path, dataset: Dataset, split: Split, *, tta: str = "none"
    ) -> Predictions | None:
        """The kept predictions of a model's folder; `None` if there are none.

        Raises:
            OSError: If the model cannot be read.
        """
        path = self._path(model, dataset, split, tta)
        arrays = read_arrays(path)
        indices = dataset.indices(split)
        if arrays is None or len(arrays["probabilities"]) != len(indices):
            return None
        path.touch()  # the longest unused go first
        return Predictions(
            model=str(arrays["model"]),
            split=split,
            tta=tta,
            indices=indices,
            labels=np.asarray(dataset.labels[indices]),
            probabilities=arrays["probabilities"],
            latency_ms=float(arrays["latency_ms"]),
        )

    def get(
        self,
        model: Path,
        dataset: Dataset,
        split: Split,
        *,
        tta: str = "none",
        progress: Progress = no_progress,
    ) -> Predictions:
        """The predictions of a model's folder, kept or else computed now and kept.

        Raises:
            ModelLoadError: If the model cannot be loaded.
            DatasetError: If the split is empty.
            ConfigError: If there is no such augmentation.
        """
        # Before all else: a damaged model is refused, whatever was kept of it.
        classifier = EmotionClassifier.load(model)
        kept = self.load(model, dataset, split, tta=tta)
        if kept is not None:
            return kept
        found = predict(classifier, dataset, split, tta=tta, progress=progress)
        write_arrays(
            self._path(model, dataset, split, tta),
            {
                "probabilities": found.probabilities,
                "model": np.array(found.model),
                "latency_ms": np.array(found.latency_ms),
            },
        )
        keep_newest(self._folder, "*.npz", MOST_KEPT)
        return found

    def _path(self, model: Path, dataset: Dataset, split: Split, tta: str) -> Path:
        return self._folder / f"{kept_name(model, dataset, split.value, tta)}.npz"


def fingerprint(model: Path) -> str:
    """SHA-256 of what decides a model's answers: its network and its contract.

    Raises:
        OSError: If a file cannot be read.
    """
    paths = (model / MODEL_ONNX, model / CONTRACT)
    return _digest(paths, tuple(map(_stamp, paths)))


@lru_cache(maxsize=64)
def _digest(paths: tuple[Path, ...], stamps: tuple[tuple[int, int, int], ...]) -> str:
    # Pages ask on every redraw, and a network takes some ten milliseconds to read through.
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file is replaced or written to."""
    status = path.stat()
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def kept_name(model: Path, dataset: Dataset, *more: str) -> str:
    """How a file is called that keeps what a model made of a dataset, whatever their names.

    Args:
        model: The folder of a model.
        dataset: The dataset, with its edits if it carries some.
        more: What else the content depends on.

    Raises:
        OSError: If the model cannot be read.
    """
    return "-".join((fingerprint(model)[:16], dataset.meta.fingerprint[:16], *more))


def _latency_ms(
    score: Callable[[npt.NDArray[np.uint8]], EmotionScores], face: npt.NDArray[np.uint8]
) -> float:
    """Median time for one face, from crop to calibrated scores, in milliseconds."""
    times = []
    for _ in range(_WARM_UP + _TIMED):
        start = time.perf_counter()
        score(face[None])
        times.append(time.perf_counter() - start)
    return float(np.median(times[_WARM_UP:]) * 1e3)
