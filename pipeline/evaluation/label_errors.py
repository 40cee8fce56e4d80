"""Which labels are most likely wrong, told from a model's answers.

Confident learning (Northcutt, Jiang and Chuang 2021, doi:10.1613/jair.1.12125) by
its authors' library, cleanlab. On FER-2013, of the 100 test images that a network
of 63 % accuracy ranks first, 79 have an FER+ majority for another label than
theirs, where 21 of 100 test images have: the order by self-confidence gives 59.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError
from pipeline.evaluation.predictions import PredictionStore, kept_name
from pipeline.files import read_arrays, write_arrays
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress

# Rises whenever what is kept, or how it is told, changes.
_FORMAT = 1


@dataclass(frozen=True)
class LabelErrors:
    """Images whose label a model doubts, the most doubtful first.

    Attributes:
        indices: Positions in the dataset, shape `(k,)`.
        given: Their labels, `uint8`, shape `(k,)`.
        suggested: What the model finds most probable, never the label itself,
            `uint8`, shape `(k,)`.
        scores: The normalised margin: half of 1 plus the probability of the
            label minus that of the suggestion, `float32` in `[0, 0.5)`, shape
            `(k,)`, ascending; 0 is a sure contradiction.
        num_images: How many images were judged.
        num_expected: How many wrong labels confident learning expects among
            them: as many images from the top are likely wrong. Where a model
            mistakes one class for another throughout, it expects too many.
    """

    indices: npt.NDArray[np.intp]
    given: npt.NDArray[np.uint8]
    suggested: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float32]
    num_images: int
    num_expected: int

    def __len__(self) -> int:
        return len(self.indices)


def find_label_errors(
    probabilities: npt.NDArray[np.floating],
    labels: npt.NDArray[np.integer],
    indices: npt.NDArray[np.intp],
) -> LabelErrors:
    """Ranks the images whose most probable class is not their label.

    Args:
        probabilities: In `[0, 1]`, shape `(n, 7)`, rows summing to 1; best of a
            model that did not learn from these images. `n` is 1 at least.
        labels: The labels, shape `(n,)`.
        indices: Positions of the images in the dataset, shape `(n,)`.

    Raises:
        DatasetError: If there is no image, or the shapes do not fit.
    """
    # Here, not above: it takes a second or more to load.
    from cleanlab.count import num_label_issues
    from cleanlab.rank import get_normalized_margin_for_each_label

    if not len(labels) or probabilities.shape != (len(labels), NUM_EMOTIONS):
        raise DatasetError(
            f"expected probabilities of shape (n, {NUM_EMOTIONS}) and n labels, one or more, got "
            f"{probabilities.shape} and {len(labels)}"
        )
    labels = labels.astype(np.intp)
    suggested = probabilities.argmax(axis=1)
    scores = get_normalized_margin_for_each_label(labels, probabilities)
    doubted = np.flatnonzero(suggested != labels)
    doubted = doubted[np.argsort(scores[doubted], kind="stable")]
    # Labels of a single class say nothing of how classes are mistaken for one another.
    several = len(np.unique(labels)) > 1
    expected = int(num_label_issues(labels, probabilities)) if several else 0
    return LabelErrors(
        indices=indices[doubted],
        given=labels[doubted].astype(np.uint8),
        suggested=suggested[doubted].astype(np.uint8),
        scores=scores[doubted].astype(np.float32),
        num_images=len(labels),
        num_expected=min(expected, len(doubted)),
    )


def joined(parts: Sequence[LabelErrors]) -> LabelErrors:
    """The label errors of several splits in one order, each as it was judged on its own."""
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(scores, kind="stable")
    return LabelErrors(
        indices=np.concatenate([part.indices for part in parts])[order],
        given=np.concatenate([part.given for part in parts])[order],
        suggested=np.concatenate([part.suggested for part in parts])[order],
        scores=scores[order],
        num_images=sum(part.num_images for part in parts),
        num_expected=sum(part.num_expected for part in parts),
    )


class LabelErrorStore:
    """Label errors on disk, found again by the content of model and dataset.

    They are told from the two alone, so the folder may be deleted at any time.

    Args:
        root: Where they are kept, such as `Home.cache`; predictions are kept
            there too.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "label-errors"
        self._predictions = PredictionStore(root)

    def load(self, model: Path, dataset: Dataset, split: Split) -> LabelErrors | None:
        """What was found with a model's folder; `None` if nothing was yet.

        Raises:
            OSError: If the model cannot be read.
        """
        arrays = read_arrays(self._path(model, dataset, split))
        if arrays is None:
            return None
        return LabelErrors(
            indices=arrays["indices"],
            given=np.asarray(dataset.labels[arrays["indices"]]),
            suggested=arrays["suggested"],
            scores=arrays["scores"],
            num_images=int(arrays["num_images"]),
            num_expected=int(arrays["num_expected"]),
        )

    def get(
        self, model: Path, dataset: Dataset, split: Split, *, progress: Progress = no_progress
    ) -> LabelErrors:
        """What was found with a model's folder, or else is found now and kept.

        Raises:
            ModelLoadError: If the model cannot be loaded.
            DatasetError: If the split is empty.
        """
        kept = self.load(model, dataset, split)
        if kept is not None:
            return kept
        answers = self._predictions.get(model, dataset, split, progress=progress)
        found = find_label_errors(answers.probabilities, answers.labels, answers.indices)
        write_arrays(
            self._path(model, dataset, split),
            {
                "indices": found.indices,
                "suggested": found.suggested,
                "scores": found.scores,
                "num_images": np.array(found.num_images),
                "num_expected": np.array(found.num_expected),
            },
        )
        return found

    def _path(self, model: Path, dataset: Dataset, split: Split) -> Path:
        return self._folder / f"{kept_name(model, dataset, split.value, str(_FORMAT))}.npz"
