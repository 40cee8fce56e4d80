"""Which of a model's answers deserve a look, in what order, and what people said of the images.

Not to be confused with `pipeline.errors`, what goes wrong in the program.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, ferplus
from pipeline.evaluation.predictions import Predictions

Indices = npt.NDArray[np.intp]


class PeopleSay(StrEnum):
    """What the majority of the FER+ taggers says of an image on which label and model may differ.

    Attributes:
        SPLIT: No emotion has a majority.
        LABEL: It agrees with the label.
        MODEL: It agrees with the model, and not with the label.
        OTHER: It agrees with neither.
    """

    SPLIT = "split"
    LABEL = "label"
    MODEL = "model"
    OTHER = "other"


def confident_mistakes(predictions: Predictions) -> Indices:
    """The places of the wrong answers in the predictions, the most confident first."""
    places = np.flatnonzero(~predictions.is_right)
    return places[np.argsort(-predictions.confidence[places], kind="stable")]


def unsure_hits(predictions: Predictions) -> Indices:
    """The places of the right answers in the predictions, the least confident first."""
    places = np.flatnonzero(predictions.is_right)
    return places[np.argsort(predictions.confidence[places], kind="stable")]


def narrowed(
    predictions: Predictions,
    places: Indices,
    *,
    labels: Collection[int] = (),
    predicted: Collection[int] = (),
) -> Indices:
    """Those of the places, in their order, with certain classes.

    Args:
        predictions: The answers.
        places: Places in them.
        labels: Indices into `labels.EMOTIONS`; empty: any.
        predicted: The most probable emotion, likewise.
    """
    keep = np.ones(len(places), bool)
    if labels:
        keep &= np.isin(predictions.labels[places], list(labels))
    if predicted:
        keep &= np.isin(predictions.predicted[places], list(predicted))
    return places[keep]


def people_say(votes: npt.NDArray[np.uint8], label: int, predicted: int) -> PeopleSay | None:
    """Holds the votes for an image against its label and the model's answer.

    Args:
        votes: FER+ votes, shape `(10,)`, columns as in `ferplus.COLUMNS`.
        label: The image's label.
        predicted: The model's answer.

    Returns:
        What the majority says; `None` if nobody voted.
    """
    if not votes.any():
        return None
    emotion, clear = ferplus.majority(votes[None])
    if not clear[0]:
        return PeopleSay.SPLIT
    if emotion[0] == label:
        return PeopleSay.LABEL
    return PeopleSay.MODEL if emotion[0] == predicted else PeopleSay.OTHER


def exact_twins(dataset: Dataset, index: int) -> Indices:
    """The other images of a dataset that are pixel-identical with one, ascending."""
    face = np.asarray(dataset.images[index])
    # A row in the middle rules out nearly all others, so that few are compared in full.
    middle = len(face) // 2
    alike = np.flatnonzero((dataset.images[:, middle] == face[middle]).all(axis=1))
    same = alike[(dataset.images[alike] == face).all(axis=(1, 2))]
    return same[same != index]
