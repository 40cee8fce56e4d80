"""How far people agree with the labels, told from FER+ votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.dataset import ferplus
from pipeline.labels import NUM_EMOTIONS

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Agreement:
    """Labels against the majority of the taggers.

    Attributes:
        confusion: Images, shape `(7, 8)`: rows are the labels; columns the
            emotion that more than half of the taggers chose, and last the images
            where no emotion of the seven has such a majority.
        own_share: The mean share of the votes for the seven that an image's own
            label got, for each label, in `[0, 1]`; 0 for a label with no image.
        entropy: The mean entropy of the votes for the seven, for each label, in
            bits: 0 if all agree, 2.8 if every emotion gets as many votes.
        differing: Indices of the images whose majority is for another label.
        undecided: Indices of the images without a majority.
    """

    confusion: npt.NDArray[np.int64]
    own_share: npt.NDArray[np.float32]
    entropy: npt.NDArray[np.float32]
    differing: Indices
    undecided: Indices


def agreement(labels: npt.NDArray[np.uint8], votes: npt.NDArray[np.uint8]) -> Agreement:
    """Compares labels with votes.

    Args:
        labels: Shape `(n,)`, indices into `labels.EMOTIONS`.
        votes: FER+ votes, shape `(n, 10)`, columns as in `ferplus.COLUMNS`.
    """
    labels = np.asarray(labels)
    emotion, clear = ferplus.majority(votes)
    chosen = np.where(clear, emotion, NUM_EMOTIONS).astype(np.intp)
    cells = labels.astype(np.intp) * (NUM_EMOTIONS + 1) + chosen
    confusion = np.bincount(cells, minlength=NUM_EMOTIONS * (NUM_EMOTIONS + 1))
    shares, usable = ferplus.distribution(votes)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies = -(shares * logs).sum(axis=1)
    own = shares[np.arange(len(labels)), labels]
    # An image without a vote for any of the seven says nothing of either.
    numbers = np.maximum(np.bincount(labels[usable], minlength=NUM_EMOTIONS), 1)

    def mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        sums = np.bincount(labels[usable], values[usable], NUM_EMOTIONS)
        return (sums / numbers).astype(np.float32)

    return Agreement(
        confusion=confusion.reshape(NUM_EMOTIONS, NUM_EMOTIONS + 1),
        own_share=mean(own),
        entropy=mean(entropies),
        differing=np.flatnonzero(clear & (emotion != labels)),
        undecided=np.flatnonzero(~clear),
    )
