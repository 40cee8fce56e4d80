"""Scoring a served model on a split of a dataset."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.dataset.duplicates import twins_in_train
from pipeline.evaluation.predictions import Predictions, predict
from pipeline.evaluation.report import DatasetReference, EvaluationReport
from pipeline.evaluation.scoring import score_report
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import EmotionClassifier


def evaluate(
    classifier: EmotionClassifier,
    dataset: Dataset,
    split: Split,
    *,
    tta: str = "none",
    progress: Progress = no_progress,
) -> EvaluationReport:
    """Scores every image of a split and sums it up; see `summarise`.

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
    found = predict(classifier, dataset, split, tta=tta, progress=progress)
    return summarise(found, dataset, threshold=classifier.contract.unsure_below)


def summarise(
    predictions: Predictions,
    dataset: Dataset,
    *,
    threshold: float = 0.0,
    clean_mask: npt.NDArray[np.bool_] | None = None,
) -> EvaluationReport:
    """Every figure that a model's answers on a split come to.

    The *clean* figures leave out images with an exact twin in the train split
    of the dataset, without edits. If the model was trained on another dataset,
    they still speak of this one's own train split.

    Args:
        predictions: The answers.
        dataset: What they were given on.
        threshold: Confidence below which the model says "unsure".
        clean_mask: Whether each image has no exact twin in the train split,
            shape `(n,)`; found out if `None`, which takes longer than the rest.
    """
    if clean_mask is None:
        clean_mask = ~twins_in_train(dataset, predictions.split)
    return score_report(
        predictions.probabilities,
        predictions.labels,
        clean_mask=clean_mask,
        model=predictions.model,
        dataset=DatasetReference(
            dataset.name,
            dataset.meta.fingerprint,
            dataset.meta.synthetic,
            dataset.overlay_version,
        ),
        split=predictions.split.value,
        tta=predictions.tta,
        threshold=threshold,
        latency_ms=predictions.latency_ms,
    )
