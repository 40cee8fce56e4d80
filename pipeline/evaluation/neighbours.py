"""The training faces that a network takes for most alike to a face, whatever their pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.dataset.embedding import nearest_features
from pipeline.evaluation.predictions import kept_name
from pipeline.files import keep_newest, read_arrays, write_arrays
from pipeline.progress import Progress, no_progress
from pipeline.recognition.embedding import ModelEmbedding

Float = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

MOST_KEPT = 8
"""Files that a store keeps; beyond that the longest unused go. One is up to 30 MB for FER-2013."""

_FACES_AT_ONCE = 2048


class FeatureStore:
    """A network's features of the training faces, computed once and kept on disk.

    They are told from model and dataset alone, so the folder may be deleted at
    any time.

    Args:
        root: Where they are kept, such as `Home.cache`.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "features"

    def path(self, model: Path, dataset: Dataset) -> Path:
        """The file of a model's folder and a dataset, there or not.

        Raises:
            OSError: If the model cannot be read.
        """
        return self._folder / f"{kept_name(model, dataset)}.npz"

    def load(self, model: Path, dataset: Dataset) -> Float | None:
        """The kept features; `None` if there are none.

        Args:
            model: The folder of a model.
            dataset: The dataset.

        Returns:
            Shape `(n, d)`, a row for each of `dataset.indices(Split.TRAIN)`.

        Raises:
            OSError: If the model cannot be read.
        """
        path = self.path(model, dataset)
        arrays = read_arrays(path)
        if arrays is None or len(arrays["features"]) != len(dataset.indices(Split.TRAIN)):
            return None
        path.touch()  # the longest unused go first
        return arrays["features"].astype(np.float32)

    def compute(self, model: Path, dataset: Dataset, *, progress: Progress = no_progress) -> Float:
        """Reads all training faces with the network, and keeps what it sees.

        Raises:
            ModelLoadError: If the model is damaged, or has no features to show.
        """
        embedding = ModelEmbedding.load(model)
        indices = dataset.indices(Split.TRAIN)
        parts = []
        for start in range(0, max(len(indices), 1), _FACES_AT_ONCE):
            progress(start, len(indices), "reading the training faces")
            faces = dataset.images[indices[start : start + _FACES_AT_ONCE]]
            parts.append(_unit(embedding.features(np.asarray(faces))))
        progress(len(indices), len(indices))
        features = np.concatenate(parts)
        # Half precision is finer than any difference that means something.
        write_arrays(self.path(model, dataset), {"features": features.astype(np.float16)})
        keep_newest(self._folder, "*.npz", MOST_KEPT)
        return features


def nearest_training(
    dataset: Dataset, features: Float, index: int, query: Float, number: int
) -> tuple[Indices, Float]:
    """The training faces nearest to a face in a network's features.

    Args:
        dataset: The dataset.
        features: Of its training faces, as `FeatureStore` gives them.
        index: The face that they are sought for, which is not its own neighbour.
        query: Its features, shape `(d,)`.
        number: How many are wanted, at most.

    Returns:
        Their indices in the dataset, the nearest first, and their similarities:
        the cosine of the angle between the features, in `[-1, 1]`.
    """
    rows, scores = nearest_features(features, query, number + 1)
    found = dataset.indices(Split.TRAIN)[rows]
    others = found != index
    return found[others][:number], scores[others][:number]


def _unit(features: Float) -> Float:
    """Each row at length 1, which half precision holds whatever the network's scale."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
