"""Ensembles: what the mean answer of several models gains, against what it costs.

The members' calibrated probabilities are averaged, as in Lakshminarayanan et al.
(2017, arXiv:1612.01474). The mean of models that err differently is less sure
than each, so it gets a temperature of its own, fitted on validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.dataset import Dataset
from pipeline.dataset.duplicates import twins_in_train
from pipeline.errors import ConfigError
from pipeline.evaluation.calibration import (
    choose_threshold,
    fit_temperature,
    negative_log_likelihood,
)
from pipeline.evaluation.comparison import PairComparison, check_same_images, compare
from pipeline.evaluation.evaluator import summarise
from pipeline.evaluation.predictions import Predictions
from pipeline.evaluation.report import EvaluationReport
from pipeline.recognition.classifier import with_temperature

LEAST_MEMBERS = 2
NAME = "Ensemble"
"""What the mean answer is called where it stands beside its members."""

SAVED_VIEWS = ("none", "flip")
"""The test-time augmentation that a saved ensemble can have.

A network sees the face as preprocessing leaves it. That mirrors well but for
CLAHE; ten crops however are cut from the face before it is resized.
"""

Answers = Mapping[str, Predictions]


@dataclass(frozen=True)
class Judgement:
    """An ensemble beside its members, on one split.

    Attributes:
        members: What each achieves alone, with the same views, by name.
        ensemble: What their mean achieves, at its own temperature and threshold.
        best: The member with the highest accuracy.
        temperature: The ensemble's, fitted on validation.
        against_best: The ensemble held against that member.
    """

    members: dict[str, EvaluationReport]
    ensemble: EvaluationReport
    best: str
    temperature: float
    against_best: PairComparison

    @property
    def reports(self) -> dict[str, EvaluationReport]:
        """The members, then the ensemble."""
        return {**self.members, NAME: self.ensemble}


@dataclass(frozen=True)
class Step:
    """One step of a greedy selection.

    Attributes:
        added: The model that joins.
        members: All that have joined, in order.
        nll: Negative log-likelihood of their mean on validation, nats, at the
            temperature that suits it best.
        accuracy: Share of right answers on validation.
        latency_ms: Time for one face, milliseconds: that of the members together.
    """

    added: str
    members: tuple[str, ...]
    nll: float
    accuracy: float
    latency_ms: float


def average(answers: Answers, *, name: str = NAME) -> Predictions:
    """The mean of several models' probabilities.

    Args:
        answers: The models' predictions on the same images, by name.
        name: What the mean is called.

    Returns:
        Predictions whose time for one face is that of all members together.

    Raises:
        ConfigError: If there is no model.
        DatasetError: If the predictions are of different images.
    """
    if not answers:
        raise ConfigError("expected at least one model to average, got none")
    check_same_images(answers)
    members = list(answers.values())
    return replace(
        members[0],
        model=name,
        probabilities=np.mean([item.probabilities for item in members], axis=0, dtype=np.float32),
        latency_ms=sum(item.latency_ms for item in members),
    )


def judge(validation: Answers, chosen: Answers, dataset: Dataset) -> Judgement:
    """Holds an ensemble against its members on a split.

    Args:
        validation: The members' predictions on validation, by name; temperature
            and threshold of the ensemble are fitted on them.
        chosen: Their predictions on the split to judge on.
        dataset: What both are of.

    Raises:
        ConfigError: If there are less than two members, or not the same in both.
        DatasetError: If the predictions are of different images.
    """
    if len(chosen) < LEAST_MEMBERS or list(validation) != list(chosen):
        raise ConfigError(
            f"expected the same {LEAST_MEMBERS} or more members on both splits, got "
            f"{', '.join(validation) or 'none'} and {', '.join(chosen) or 'none'}"
        )
    fitted = average(validation)
    temperature = fit_temperature(fitted.probabilities, fitted.labels)
    threshold = choose_threshold(with_temperature(fitted.probabilities, temperature), fitted.labels)
    mean = average(chosen)
    mean = replace(mean, probabilities=with_temperature(mean.probabilities, temperature))
    clean = ~twins_in_train(dataset, mean.split)
    members = {name: summarise(found, dataset, clean_mask=clean) for name, found in chosen.items()}
    best = max(members, key=lambda name: members[name].accuracy)
    held = compare({best: chosen[best], NAME: mean}, best, clean_mask=clean)
    return Judgement(
        members=members,
        ensemble=summarise(mean, dataset, threshold=threshold, clean_mask=clean),
        best=best,
        temperature=temperature,
        against_best=held.pairs[0],
    )


def greedy(validation: Answers) -> tuple[Step, ...]:
    """Adds models one by one, each time the one that helps the mean most.

    Forward selection (Caruana et al. 2004, doi:10.1145/1015330.1015432), by the
    negative log-likelihood on validation and without taking a model twice.

    Args:
        validation: Predictions on validation, by name; one at the least.

    Returns:
        One step for each model; `best_step` says where to stop.

    Raises:
        ConfigError: If there is no model.
        DatasetError: If the predictions are of different images.
    """
    if not validation:
        raise ConfigError("expected at least one model to choose from, got none")
    steps: list[Step] = []
    chosen: tuple[str, ...] = ()
    while left := [name for name in validation if name not in chosen]:
        tried = [_step({name: validation[name] for name in (*chosen, added)}) for added in left]
        steps.append(min(tried, key=lambda step: step.nll))
        chosen = steps[-1].members
    return tuple(steps)


def best_step(steps: Sequence[Step]) -> Step:
    """The step after which no further model lowers the negative log-likelihood."""
    return min(steps, key=lambda step: step.nll)


def _step(answers: Answers) -> Step:
    mean = average(answers)
    temperature = fit_temperature(mean.probabilities, mean.labels)
    calibrated = with_temperature(mean.probabilities, temperature)
    return Step(
        added=list(answers)[-1],
        members=tuple(answers),
        nll=negative_log_likelihood(calibrated, mean.labels),
        accuracy=float(mean.is_right.mean()),
        latency_ms=mean.latency_ms,
    )
