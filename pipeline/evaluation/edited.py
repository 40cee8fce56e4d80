"""Answers judged by edited labels, without scoring any image twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.dataset.overlay import Overlay
from pipeline.evaluation.predictions import Predictions


def edited(predictions: Predictions, overlay: Overlay) -> Predictions:
    """Predictions without the excluded images and with the new labels.

    An edit changes no pixel, so the answers stay. `summarise` of these and of
    the dataset that `Overlay.apply` gives is what `evaluate` makes of the latter.

    Args:
        predictions: Of a dataset as it was imported.
        overlay: The edits of that dataset.

    Returns:
        Predictions whose `indices` still are those of the unedited dataset; the
        same object if no edit holds.
    """
    if not overlay.excluded and not overlay.relabelled:
        return predictions
    labels = predictions.labels.copy()
    changed = np.array(sorted(overlay.relabelled), np.intp)
    _, here, which = np.intersect1d(
        predictions.indices, changed, assume_unique=True, return_indices=True
    )
    labels[here] = [overlay.relabelled[int(index)] for index in changed[which]]
    keep = ~np.isin(predictions.indices, sorted(overlay.excluded))
    return replace(
        predictions,
        indices=predictions.indices[keep],
        labels=labels[keep],
        probabilities=predictions.probabilities[keep],
    )
