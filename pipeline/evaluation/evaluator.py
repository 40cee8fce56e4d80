"""Scoring a served model on a split of a dataset."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.dataset.duplicates import twins_in_train
from pipeline.errors import DatasetError
from pipeline.evaluation.augmented import augmented_scores
from pipeline.evaluation.report import DatasetReference, EvaluationReport
from pipeline.evaluation.scoring import score_report
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import BATCH_SIZE, EmotionClassifier, EmotionScores

_WARM_UP = 5
_TIMED = 30


def evaluate(
    classifier: EmotionClassifier,
    dataset: Dataset,
    split: Split,
    *,
    tta: str = "none",
    progress: Progress = no_progress,
) -> EvaluationReport:
    """Scores every image of a split and sums it up.

    The *clean* figures leave out images with an exact twin in the train split
    of the dataset given. If the model was trained on another dataset, they
    still speak of this one's own train split.

    Args:
        classifier: The served model; its calibrated scores are judged.
        dataset: The dataset.
        split: Which of its parts.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`. Temperature
            and threshold stay those fitted without it.
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

    probabilities = []
    for start in range(0, len(indices), BATCH_SIZE):
        progress(start, len(indices), f"scoring {split.value}")
        faces = dataset.images[indices[start : start + BATCH_SIZE]]
        probabilities.append(score(faces).probabilities)
    progress(len(indices), len(indices), f"scoring {split.value}")
    return score_report(
        np.concatenate(probabilities),
        dataset.labels[indices],
        clean_mask=~twins_in_train(dataset, split),
        model=classifier.contract.name,
        dataset=DatasetReference(dataset.name, dataset.meta.fingerprint, dataset.meta.synthetic),
        split=split.value,
        tta=tta,
        threshold=classifier.contract.unsure_below,
        latency_ms=_latency_ms(score, dataset.images[indices[0]]),
    )


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
