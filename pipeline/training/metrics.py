"""The validation figures of an epoch, the same for every loss and backend."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score


def validation_figures(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]
) -> dict[str, float]:
    """Scores a model's predictions on the validation split.

    Args:
        probabilities: Shape `(n, 7)`.
        labels: Shape `(n,)`.

    Returns:
        `val_loss` (mean negative log-likelihood of the label, in nats: it does
        not depend on label smoothing or class weights, so runs compare),
        `val_accuracy` and `val_macro_f1`, both in `[0, 1]`.
    """
    predicted = probabilities.argmax(axis=1)
    of_label = probabilities[np.arange(len(labels)), labels]
    tiny = np.finfo(np.float32).tiny
    return {
        "val_loss": float(-np.log(np.maximum(of_label, tiny)).mean()),
        "val_accuracy": float((predicted == labels).mean()),
        # As in the reports: a class that neither occurs nor is answered does not count.
        "val_macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
    }
