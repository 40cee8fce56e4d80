"""Comparing models on the same images: differences, how sure they are, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DatasetError
from pipeline.evaluation.paired import Difference, differences
from pipeline.evaluation.predictions import Predictions
from pipeline.evaluation.significance import ALPHA, McNemar, holm, mcnemar
from pipeline.labels import NAMES


@dataclass(frozen=True)
class ClassDifference:
    """How two models differ on the images of one class.

    Attributes:
        support: The number of its images.
        recall: The share of them that is found.
        f1: The harmonic mean of precision and recall.
        mcnemar: The test of the answers to its images.
        p_adjusted: Its p-value, corrected by Holm for all classes of all pairs.
    """

    support: int
    recall: Difference
    f1: Difference
    mcnemar: McNemar
    p_adjusted: float

    @property
    def is_significant(self) -> bool:
        """Whether the share that is found differs by more than luck."""
        return self.p_adjusted < ALPHA


@dataclass(frozen=True)
class PairComparison:
    """A model held against the baseline.

    Attributes:
        baseline: The baseline's name.
        other: The other model's name.
        accuracy: The share of right answers.
        macro_f1: The mean F1 of the classes, each counting alike.
        balanced_accuracy: The mean recall of the classes that occur.
        clean_accuracy: Accuracy without the images that have an exact twin in
            the train split; `None` if that was not asked for or leaves none.
        mcnemar: The test of the two models' answers.
        p_adjusted: Its p-value, corrected by Holm for the number of pairs.
        per_class: The classes that occur, by name.
    """

    baseline: str
    other: str
    accuracy: Difference
    macro_f1: Difference
    balanced_accuracy: Difference
    clean_accuracy: Difference | None
    mcnemar: McNemar
    p_adjusted: float
    per_class: dict[str, ClassDifference]

    @property
    def is_significant(self) -> bool:
        """Whether the number of right answers differs by more than luck."""
        return self.p_adjusted < ALPHA

    @property
    def verdict(self) -> str:
        """What the test comes to, in words: `better`, `worse` or neither."""
        if not self.is_significant:
            return "no significant difference"
        return "better" if self.accuracy.delta > 0 else "worse"


@dataclass(frozen=True)
class Comparison:
    """Models on the same images, each held against one of them.

    Attributes:
        baseline: The name of the model that the others are held against.
        split: `train`, `validation` or `test`.
        num_samples: The number of images.
        num_clean: The number of them without an exact twin in the train split;
            `None` if that was not asked for.
        pairs: One for each other model.
    """

    baseline: str
    split: str
    num_samples: int
    num_clean: int | None
    pairs: tuple[PairComparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON holds it, with each verdict in words."""
        value = asdict(self)
        for pair, found in zip(value["pairs"], self.pairs, strict=True):
            pair["verdict"] = found.verdict
        return value


@dataclass(frozen=True)
class Flips:
    """The images to which only one of two models has the right answer.

    Both are places in the predictions, not in the dataset, the strongest change
    of the true class's probability first.

    Attributes:
        fixed: Wrong in the baseline, right in the other.
        broken: Right in the baseline, wrong in the other.
    """

    fixed: npt.NDArray[np.intp]
    broken: npt.NDArray[np.intp]


def compare(
    answers: Mapping[str, Predictions],
    baseline: str,
    *,
    clean_mask: npt.NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Comparison:
    """Holds models against a baseline.

    Args:
        answers: The models' predictions on the same images, by name; two or more.
        baseline: One of the names.
        clean_mask: Whether each image has no exact twin in the train split,
            shape `(n,)`.
        seed: Seed of the bootstrap.

    Raises:
        DatasetError: If there is no such baseline, nothing to hold against it,
            or the predictions are of different images.
    """
    _check(answers, baseline)
    first = answers[baseline]
    pairs = [
        _pair(baseline, name, first, other, clean_mask, seed)
        for name, other in answers.items()
        if name != baseline
    ]
    return Comparison(
        baseline=baseline,
        split=first.split.value,
        num_samples=len(first),
        num_clean=None if clean_mask is None else int(clean_mask.sum()),
        pairs=tuple(_corrected(pairs)),
    )


def check_same_images(answers: Mapping[str, Predictions]) -> None:
    """Checks that models can be set against each other, or averaged.

    Args:
        answers: The models' predictions, by name; one at the least.

    Raises:
        DatasetError: If they are of different images, or of none.
    """
    baseline, first = next(iter(answers.items()))
    for name, other in answers.items():
        same = np.array_equal(first.indices, other.indices) and np.array_equal(
            first.labels, other.labels
        )
        if not same or other.split is not first.split:
            raise DatasetError(
                f"{baseline!r} and {name!r} were scored on different images: score both on the "
                "same split of the same dataset"
            )
    if not len(first):
        raise DatasetError("expected at least one image to compare models on, got none")


def flips(baseline: Predictions, other: Predictions) -> Flips:
    """The images that another model answers rightly and the baseline not, and back."""
    places = np.arange(len(baseline))
    change = (other.probabilities - baseline.probabilities)[places, baseline.labels]
    order = np.argsort(-change, kind="stable")
    fixed = other.is_right & ~baseline.is_right
    broken = baseline.is_right & ~other.is_right
    return Flips(order[fixed[order]], order[::-1][broken[order[::-1]]])


def pareto_front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """The places of those that nobody beats: none is both as cheap and as good, and more of one.

    Args:
        costs: What each costs; less is better.
        values: What each is worth; more is better.

    Returns:
        Places in the order of rising cost.
    """
    points = list(zip(costs, values, strict=True))
    unbeaten = [
        place
        for place, (cost, value) in enumerate(points)
        if not any(
            (other_cost <= cost and other_value >= value)
            and (other_cost, other_value) != (cost, value)
            for other_cost, other_value in points
        )
    ]
    return sorted(unbeaten, key=lambda place: points[place])


def _pair(
    baseline: str,
    name: str,
    first: Predictions,
    other: Predictions,
    clean_mask: npt.NDArray[np.bool_] | None,
    seed: int,
) -> PairComparison:
    found = differences(first, other, seed=seed)
    clean = None
    if clean_mask is not None and clean_mask.any():
        clean = found if clean_mask.all() else differences(first, other, clean_mask, seed=seed)
    return PairComparison(
        baseline=baseline,
        other=name,
        accuracy=found["accuracy"][0],
        macro_f1=found["macro_f1"][0],
        balanced_accuracy=found["balanced_accuracy"][0],
        clean_accuracy=clean["accuracy"][0] if clean else None,
        mcnemar=(test := mcnemar(first.is_right, other.is_right)),
        p_adjusted=test.p_value,
        per_class={
            NAMES[label]: _of_class(label, found, first, other)
            for label in np.unique(first.labels).tolist()
        },
    )


def _of_class(
    label: int, found: dict[str, list[Difference]], first: Predictions, other: Predictions
) -> ClassDifference:
    its = first.labels == label
    test = mcnemar(first.is_right[its], other.is_right[its])
    return ClassDifference(
        support=int(its.sum()),
        recall=found["recall"][label],
        f1=found["f1"][label],
        mcnemar=test,
        p_adjusted=test.p_value,
    )


def _corrected(pairs: list[PairComparison]) -> list[PairComparison]:
    """The same with p-values that know how many tests there are."""
    of_pairs = holm([pair.mcnemar.p_value for pair in pairs])
    of_classes = iter(
        holm([item.mcnemar.p_value for pair in pairs for item in pair.per_class.values()])
    )
    return [
        replace(
            pair,
            p_adjusted=p_adjusted,
            per_class={
                name: replace(item, p_adjusted=next(of_classes))
                for name, item in pair.per_class.items()
            },
        )
        for pair, p_adjusted in zip(pairs, of_pairs, strict=True)
    ]


def _check(answers: Mapping[str, Predictions], baseline: str) -> None:
    if baseline not in answers:
        raise DatasetError(f"the baseline {baseline!r} is none of {', '.join(answers) or 'none'}")
    if len(answers) < 2:
        raise DatasetError("expected at least two models to compare, got one")
    check_same_images(answers)
