"""How much of a model's accuracy is left when faces get worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError, PipelineError
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from pipeline.evaluation.predictions import kept_name
from pipeline.evaluation.report import DatasetReference, Interval
from pipeline.evaluation.scoring import NUM_RESAMPLES
from pipeline.files import read_json, write_json
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import EmotionClassifier

FORMAT_VERSION = 1
"""Rises whenever a corruption, a level or the subset changes: figures then compare no more."""

NUM_IMAGES = 700
"""Images of the subset. It bounds the time: 66 times as many faces are scored."""

_SEED = 0


@dataclass(frozen=True)
class CorruptionScore:
    """A model under one corruption; one figure for each of `STRENGTHS`, in `[0, 1]`.

    Attributes:
        accuracy: Share of right answers.
        changed: Share of answers that differ from that on the face as it is.
    """

    accuracy: tuple[float, ...]
    changed: tuple[float, ...]


@dataclass(frozen=True)
class StressReport:
    """What is left of a model's accuracy on a fixed subset of a split.

    Every figure of two models on the same split of the same data is told from
    the same images with the same noise, so they compare.

    Attributes:
        model: The model's name.
        dataset: Which data was scored.
        split: `train`, `validation` or `test`.
        num_samples: The number of images of the subset.
        clean_accuracy: Share of right answers on the faces as they are, in `[0, 1]`.
        clean_ci95: Its 95 % interval (percentile bootstrap over the images).
        mean_accuracy: The mean of the accuracy over all corruptions and
            strengths, each counting alike, in `[0, 1]`.
        mean_ci95: Its 95 % interval.
        robustness: `mean_accuracy / clean_accuracy`: the share of the accuracy
            that is left on average; 1 if nothing is lost. `None` if no answer
            is right even on the faces as they are. It is the idea of the
            relative corruption error of Hendrycks and Dietterich (2019,
            arXiv:1903.12261), of accuracies instead of errors and against the
            model itself instead of AlexNet. A model that knows little has
            little to lose: read it beside `mean_accuracy`.
        robustness_ci95: Its 95 % interval; likewise.
        changed: The mean share of changed answers over all corruptions and
            strengths, in `[0, 1]`.
        corruptions: The figures of each corruption, by name.
    """

    model: str
    dataset: DatasetReference
    split: str
    num_samples: int
    clean_accuracy: float
    clean_ci95: Interval
    mean_accuracy: float
    mean_ci95: Interval
    robustness: float | None
    robustness_ci95: Interval | None
    changed: float
    corruptions: dict[str, CorruptionScore]
    format_version: int = FORMAT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> StressReport:
        """Reads what `to_dict` made, also after a detour through JSON.

        Raises:
            PipelineError: If it is no such report, or of another version.
        """
        try:
            if value["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format {value['format_version']!r}, not {FORMAT_VERSION}")
            known = dict(value)
            known["dataset"] = DatasetReference(**known["dataset"])
            known["corruptions"] = {
                name: CorruptionScore(tuple(score["accuracy"]), tuple(score["changed"]))
                for name, score in known["corruptions"].items()
            }
            for name in ("clean_ci95", "mean_ci95", "robustness_ci95"):
                known[name] = None if known[name] is None else tuple(known[name])
            return cls(**known)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise PipelineError(
                f"not a stress report of this version ({error!r}): run the stress bench again"
            ) from error


def stress(
    classifier: EmotionClassifier,
    dataset: Dataset,
    split: Split,
    *,
    num_images: int = NUM_IMAGES,
    progress: Progress = no_progress,
) -> StressReport:
    """Scores a subset of a split under every corruption at every strength.

    Args:
        classifier: The served model.
        dataset: The dataset.
        split: Which of its parts.
        num_images: Images of the subset, at most; see `subset`.
        progress: Told the combinations done.

    Raises:
        DatasetError: If the split is empty.
    """
    chosen = subset(dataset, split, num_images)
    faces, labels = np.asarray(dataset.images[chosen]), np.asarray(dataset.labels[chosen])
    steps = [(name, strength) for name in CORRUPTIONS for strength in STRENGTHS]
    progress(0, len(steps) + 1, "scoring the faces as they are")
    clean = classifier.scores(faces).labels
    answers = []
    for done, (name, strength) in enumerate(steps, start=1):
        title = CORRUPTIONS[name].title.lower()
        progress(done, len(steps) + 1, f"{title}, strength {strength} of {len(STRENGTHS)}")
        worse = corrupt(faces, name, strength, seed=_SEED)
        answers.append(classifier.scores(worse).labels)
    progress(len(steps) + 1, len(steps) + 1)
    shape = (len(CORRUPTIONS), len(STRENGTHS), len(chosen))
    return _report(
        classifier.contract.name,
        dataset,
        split,
        clean == labels,
        (np.array(answers) == labels).reshape(shape),
        (np.array(answers) != clean).reshape(shape),
    )


def subset(
    dataset: Dataset, split: Split, num_images: int = NUM_IMAGES, *, seed: int = _SEED
) -> npt.NDArray[np.intp]:
    """Draws images of a split, each class by its share.

    Args:
        dataset: The dataset.
        split: Which of its parts.
        num_images: How many, at most.
        seed: Equal seeds draw equal images.

    Returns:
        Their indices, ascending.

    Raises:
        DatasetError: If the split is empty.
    """
    indices = dataset.indices(split)
    if not len(indices):
        raise DatasetError(f"dataset {dataset.name!r} has no image in its {split.value} split")
    if len(indices) <= num_images:
        return indices
    shuffled = np.random.default_rng(seed).permutation(indices)
    # Sorted by class, every k-th image: each class gets its share, rounded.
    by_class = shuffled[np.argsort(dataset.labels[shuffled], kind="stable")]
    places = (np.arange(num_images) + 0.5) * len(indices) / num_images
    return np.sort(by_class[places.astype(np.intp)])


class StressStore:
    """Stress reports on disk, found again by the content of model and dataset.

    They are told from the two alone, so the folder may be deleted at any time.

    Args:
        root: Where they are kept, such as `Home.cache`.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "stress"

    def load(self, model: Path, dataset: Dataset, split: Split) -> StressReport | None:
        """The kept report of a model's folder; `None` if there is none of this version.

        Raises:
            OSError: If the model cannot be read.
        """
        path = self._path(model, dataset, split)
        try:
            return StressReport.from_dict(read_json(path))
        except (OSError, ValueError, PipelineError):
            return None

    def get(
        self,
        model: Path,
        dataset: Dataset,
        split: Split,
        *,
        progress: Progress = no_progress,
    ) -> StressReport:
        """The report of a model's folder, kept or else made now and kept.

        Raises:
            ModelLoadError: If the model cannot be loaded.
            DatasetError: If the split is empty.
        """
        # Before all else: a damaged model is refused, whatever was kept of it.
        classifier = EmotionClassifier.load(model)
        kept = self.load(model, dataset, split)
        if kept is not None:
            return kept
        found = stress(classifier, dataset, split, progress=progress)
        write_json(self._path(model, dataset, split), found.to_dict())
        return found

    def _path(self, model: Path, dataset: Dataset, split: Split) -> Path:
        return self._folder / f"{kept_name(model, dataset, split.value)}.json"


def _report(
    model: str,
    dataset: Dataset,
    split: Split,
    clean_right: npt.NDArray[np.bool_],
    right: npt.NDArray[np.bool_],
    changed: npt.NDArray[np.bool_],
) -> StressReport:
    """Sums up answers: shapes `(n,)`, and twice `(corruptions, strengths, n)`."""
    clean, mean = float(clean_right.mean()), float(right.mean())
    intervals = _bootstrap(clean_right, right.sum(axis=(0, 1)), right[..., 0].size)
    return StressReport(
        model=model,
        dataset=DatasetReference(
            dataset.name, dataset.meta.fingerprint, dataset.meta.synthetic, dataset.overlay_version
        ),
        split=split.value,
        num_samples=len(clean_right),
        clean_accuracy=clean,
        clean_ci95=intervals[0],
        mean_accuracy=mean,
        mean_ci95=intervals[1],
        robustness=mean / clean if clean else None,
        robustness_ci95=intervals[2] if clean else None,
        changed=float(changed.mean()),
        corruptions={
            name: CorruptionScore(
                tuple(right[place].mean(axis=1).tolist()),
                tuple(changed[place].mean(axis=1).tolist()),
            )
            for place, name in enumerate(CORRUPTIONS)
        },
    )


def _bootstrap(
    clean_right: npt.NDArray[np.bool_], times_right: npt.NDArray[np.int64], num_steps: int
) -> tuple[Interval, Interval, Interval]:
    """The 95 % percentile bootstrap intervals (Efron 1979) of clean, mean and their ratio.

    Images are drawn with all their answers. The figures depend only on how many
    images there are of each kind, so these numbers are drawn.
    """
    rows = np.stack([clean_right.astype(np.int64), times_right], axis=1)
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    size = len(rows)
    drawn = np.random.default_rng(_SEED).multinomial(size, counts / size, size=NUM_RESAMPLES)
    sums = drawn @ kinds
    clean, mean = sums[:, 0] / size, sums[:, 1] / (num_steps * size)
    # Where nothing is right there is nothing to be a share of.
    ratio = (mean[clean > 0] / clean[clean > 0]) if clean.any() else np.zeros(1)
    return _middle(clean), _middle(mean), _middle(ratio)


def _middle(values: npt.NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
