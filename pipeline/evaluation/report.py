"""The evaluation report: what a model achieves on a split, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.errors import PipelineError
from pipeline.labels import NAMES

Interval = tuple[float, float]


@dataclass(frozen=True)
class CleanScore:
    """Accuracy without the images that have an exact twin in the train split.

    Attributes:
        num_samples: The number of images left.
        accuracy: In `[0, 1]`; `None` when none is left.
        accuracy_ci95: Its 95 % interval; likewise.
    """

    num_samples: int
    accuracy: float | None
    accuracy_ci95: Interval | None


@dataclass(frozen=True)
class ClassScore:
    """How well one emotion is found; 0 where a figure is undefined.

    Attributes:
        precision: Share of the answers of this class that are right.
        recall: Share of the images of this class that are found.
        f1: Their harmonic mean.
        support: The number of images of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class DatasetReference:
    """Which data was scored.

    Attributes:
        name: The dataset's name here.
        fingerprint: Equal for equal data, whatever its name.
        synthetic: Whether the faces are drawn; shown wherever the figures are.
        overlay_version: The edits that were scored with; `None` for the data as
            imported, whose figures alone compare with others.
    """

    name: str
    fingerprint: str
    synthetic: bool
    overlay_version: int | None = None


@dataclass(frozen=True)
class EvaluationReport:
    """What a model achieves on one split. Shares are in `[0, 1]`, classes in label order.

    Attributes:
        model: The model's name.
        dataset: Which data was scored.
        split: `train`, `validation` or `test`.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
        num_samples: The number of images.
        accuracy: Share of right answers.
        accuracy_ci95: Its 95 % interval (percentile bootstrap over the images).
        macro_f1: Mean F1 of the classes, each counting alike.
        macro_f1_ci95: Its 95 % interval.
        balanced_accuracy: Mean recall of the classes that occur.
        top2_accuracy: Share of images whose class is among the two most probable.
        clean: Accuracy without exact twins of training images.
        per_class: Figures of each emotion, by name.
        confusion_matrix: Numbers of images; rows true, columns predicted.
        labels: Class names in the order of rows and columns.
        ece: Expected calibration error, 15 bins.
        nll: Mean negative log-likelihood of the true class, nats.
        threshold: Confidence below which the model says "unsure".
        coverage: Share of images that it answers at that threshold.
        answered_accuracy: Share of right answers among those; `None` if none.
        latency_ms: Median time for one face, milliseconds, on the machine that
            evaluated; `None` when not measured.
    """

    model: str
    dataset: DatasetReference
    split: str
    tta: str
    num_samples: int
    accuracy: float
    accuracy_ci95: Interval
    macro_f1: float
    macro_f1_ci95: Interval
    balanced_accuracy: float
    top2_accuracy: float
    clean: CleanScore
    per_class: dict[str, ClassScore]
    confusion_matrix: tuple[tuple[int, ...], ...]
    ece: float
    nll: float
    threshold: float
    coverage: float
    answered_accuracy: float | None
    latency_ms: float | None
    labels: tuple[str, ...] = NAMES

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> EvaluationReport:
        """Reads what `to_dict` made, also after a detour through JSON.

        Raises:
            PipelineError: If it is no such report.
        """
        try:
            known = dict(value)
            known["dataset"] = DatasetReference(**known["dataset"])
            known["clean"] = _with_tuples(CleanScore, known["clean"])
            known["per_class"] = {
                name: ClassScore(**score) for name, score in known["per_class"].items()
            }
            known["confusion_matrix"] = tuple(tuple(row) for row in known["confusion_matrix"])
            return _with_tuples(cls, known)
        except (KeyError, TypeError, AttributeError) as error:
            raise PipelineError(
                f"not an evaluation report of this version ({error!r}): evaluate the model again"
            ) from error


def _with_tuples(kind: type, value: Mapping[str, Any]) -> Any:
    """Makes a dataclass of fields by name; JSON turned its tuples into lists."""
    names = {item.name for item in dataclasses.fields(kind)}
    return kind(
        **{
            name: tuple(held) if isinstance(held, list) and name in names else held
            for name, held in value.items()
        }
    )
