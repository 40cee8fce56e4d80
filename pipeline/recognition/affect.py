"""Valence and arousal, derived from the seven probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.labels import EMOTIONS


def valence_arousal(probabilities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """The mean place of the emotions on the circumplex, weighted by probability.

    It is derived from the table in `labels`, not estimated from the face: it
    carries no information beyond the seven probabilities.

    Args:
        probabilities: Shape `(..., 7)`, in `labels.EMOTIONS` order.

    Returns:
        Valence and arousal in `[-1, 1]`, shape `(..., 2)`.
    """
    places = np.array([(emotion.valence, emotion.arousal) for emotion in EMOTIONS])
    return probabilities @ places
