"""What a network is asked to predict for each image, and how much each image counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.dataset.ferplus import distribution
from pipeline.dataset.resampling import subset_size
from pipeline.errors import ConfigError
from pipeline.labels import NUM_EMOTIONS

Float = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

EFFECTIVE_NUMBER_BETA = 0.999


def targets(
    dataset: Dataset, indices: Indices, soft_labels: float = 0.0, vote_targets: str = "shares"
) -> Float:
    """Class probabilities to learn.

    Args:
        dataset: Where labels and FER+ votes come from.
        indices: Positions of the images, shape `(n,)`.
        soft_labels: The share of the FER+ votes; the rest is the label. An image
            without a usable vote keeps its label, and so does one relabelled in
            an overlay, which takes its votes away.
        vote_targets: `shares`, the distribution of the votes over the seven
            emotions, or `fitted`, see `labels_given_votes`.

    Returns:
        `float32`, shape `(n, 7)`; each row sums to 1.

    Raises:
        ConfigError: If votes are wanted and the dataset has none.
    """
    hard = np.eye(NUM_EMOTIONS, dtype=np.float32)[dataset.labels[indices]]
    if not soft_labels:
        return hard
    votes = votes_of(dataset)[indices]
    if vote_targets == "fitted":
        soft, usable = labels_given_votes(votes, dataset.labels[indices])
    else:
        soft, usable = distribution(votes)
    share = np.where(usable, np.float32(soft_labels), np.float32(0))[:, None]
    return np.asarray(share * soft + (1 - share) * hard, np.float32)


def votes_of(dataset: Dataset) -> npt.NDArray[np.uint8]:
    """The FER+ votes of a dataset, which a training asks for.

    Returns:
        `uint8`, shape `(n, 10)`, columns as in `ferplus.COLUMNS`.

    Raises:
        ConfigError: If it has none.
    """
    if dataset.votes is None:
        raise ConfigError(
            f"soft_labels needs FER+ votes, but dataset {dataset.name!r} has none: attach them "
            f"with `python -m pipeline dataset votes {dataset.name} FILE`"
        )
    return dataset.votes


def labels_given_votes(
    votes: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]
) -> tuple[Float, npt.NDArray[np.bool_]]:
    """How probable each label is for an image with such votes.

    FER-2013's labels and the ten people of FER+ disagree in ways of their own: much
    that was labelled sad or fear got votes for neutral, for instance. A multinomial
    logistic regression of the labels on the votes learns these ways, so that the
    result is softer than the label, where people disagree, and yet means FER-2013's
    labels. It is fitted on the images that it is used for; with eleven numbers a
    class it cannot remember single ones.

    Args:
        votes: `uint8`, shape `(n, 10)`, columns as in `ferplus.COLUMNS`.
        labels: `uint8`, shape `(n,)`.

    Returns:
        Probabilities, `float32`, shape `(n, 7)`, and a mask, shape `(n,)`, of the
        rows with at least one vote. These rows sum to 1, the others are zero. With
        fewer than two labels among them there is nothing to fit, and the mask is
        empty.
    """
    usable = np.asarray(votes.any(axis=1))
    soft = np.zeros((len(votes), NUM_EMOTIONS), np.float32)
    present = np.unique(labels[usable])
    if len(present) < 2:
        return soft, np.zeros_like(usable)

    from sklearn.linear_model import LogisticRegression

    shares = votes[usable] / votes[usable].sum(axis=1, keepdims=True)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(shares, labels[usable])
    soft[np.ix_(usable, present)] = model.predict_proba(shares)
    return soft, usable


def class_weights(labels: npt.NDArray[np.uint8], scheme: str) -> Float:
    """How much an image of each class counts.

    Args:
        labels: The training labels, shape `(n,)`.
        scheme: `none`; `balanced`, inversely proportional to the class's
            frequency; `effective`, by its effective number of samples with
            beta 0.999 (Cui et al., CVPR 2019).

    Returns:
        `float32`, shape `(7,)`; the mean over all images is 1, and a class with
        no image gets 0.
    """
    counts = np.bincount(labels, minlength=NUM_EMOTIONS)
    if scheme == "none":
        return np.ones(NUM_EMOTIONS, np.float32)
    if scheme == "balanced":
        amount = counts.astype(float)
    else:
        amount = (1 - EFFECTIVE_NUMBER_BETA**counts) / (1 - EFFECTIVE_NUMBER_BETA)
    raw = np.divide(1.0, amount, out=np.zeros(NUM_EMOTIONS), where=counts > 0)
    return (raw * len(labels) / (raw * counts).sum()).astype(np.float32)


def stratified_subset(
    labels: npt.NDArray[np.uint8], indices: Indices, share: float, seed: int
) -> Indices:
    """A random share of the images with the classes in their proportions.

    Args:
        labels: Labels of the whole dataset.
        indices: Positions to choose from.
        share: In `(0, 1]`; each class present keeps at least one image.
        seed: Equal seeds choose equally; a larger share contains a smaller one.

    Returns:
        Positions, ascending.
    """
    if share >= 1:
        return indices
    rng = np.random.default_rng(seed)
    chosen = []
    for label in range(NUM_EMOTIONS):
        members = rng.permutation(indices[labels[indices] == label])
        if len(members):
            chosen.append(members[: subset_size(len(members), share)])
    return np.sort(np.concatenate(chosen))
