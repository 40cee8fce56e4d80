"""What every new model gets before it is served: probe faces, calibration, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.dataset.synthetic import draw_face
from pipeline.errors import DatasetError
from pipeline.evaluation.calibration import choose_threshold, coverage_curve, fit_temperature
from pipeline.evaluation.evaluator import evaluate
from pipeline.evaluation.predictions import in_batches
from pipeline.evaluation.report import EvaluationReport
from pipeline.files import write_json, write_text
from pipeline.labels import NAMES
from pipeline.progress import Progress, no_progress, part_of
from pipeline.recognition.classifier import EmotionClassifier, with_temperature
from pipeline.recognition.contract import EVALUATION, MODEL_CARD, ModelContract

_PROBES_A_CLASS = 4

# The share of the time: validation is scored for it, then both splits, with bootstrap.
_CALIBRATED = 0.3


def probe_faces() -> npt.NDArray[np.uint8]:
    """Drawn faces of every class, always the same, to know a model's scores again by.

    A model travels: it is exported, shipped, put into repositories. Photographs of
    people, and images that a dataset's terms keep from being passed on, must not
    travel with it.

    Returns:
        `uint8` grey in `[0, 255]`, shape `(28, 48, 48)`.
    """
    rng = np.random.default_rng(0)
    return np.stack([draw_face(name, rng) for name in NAMES for _ in range(_PROBES_A_CLASS)])


def release(
    folder: Path,
    contract: ModelContract,
    dataset: Dataset,
    write_card: Callable[[ModelContract, Mapping[str, EvaluationReport]], str],
    *,
    with_test: bool = True,
    progress: Progress = no_progress,
) -> dict[str, EvaluationReport]:
    """Calibrates a new model, scores it, and writes its contract, reports and card.

    Args:
        folder: Holds `model.onnx` and the probes.
        contract: The contract before calibration.
        dataset: With the edits that the model is chosen by, if any; the reports
            are without them.
        write_card: Gives the model card, as Markdown.
        with_test: Whether to score the test split too.
        progress: Told the share that is done.

    Raises:
        DatasetError: If the validation split is empty.
        ModelLoadError: If the network does not score its probes as it should.
    """
    contract.save(folder)
    raw = EmotionClassifier.load(folder)
    contract = calibrate(contract, raw, dataset, progress=part_of(progress, 0, _CALIBRATED))
    contract.save(folder)
    reports = first_reports(
        EmotionClassifier.load(folder),
        dataset.official,
        with_test=with_test,
        progress=part_of(progress, _CALIBRATED, 1),
    )
    write_json(folder / EVALUATION, {split: report.to_dict() for split, report in reports.items()})
    write_text(folder / MODEL_CARD, write_card(contract, reports))
    return reports


def calibrate(
    contract: ModelContract,
    classifier: EmotionClassifier,
    dataset: Dataset,
    *,
    progress: Progress = no_progress,
) -> ModelContract:
    """A contract with temperature and threshold fitted on the validation split.

    Args:
        contract: The contract of a new model.
        classifier: The model; its uncalibrated scores are used.
        dataset: With the edits that the model is chosen by, if any.
        progress: Told the images done.

    Raises:
        DatasetError: If the validation split is empty.
    """
    indices = dataset.indices(Split.VALIDATION)
    if not len(indices):
        raise DatasetError(
            f"dataset {dataset.name!r} has no validation image: none to calibrate a model on"
        )
    labels = np.asarray(dataset.labels[indices])
    score = partial(classifier.scores, calibrated=False)
    raw = in_batches(score, dataset, indices, progress, "calibrating")
    temperature = fit_temperature(raw, labels)
    calibrated = with_temperature(raw, temperature)
    return replace(
        contract,
        temperature=temperature,
        unsure_below=choose_threshold(calibrated, labels),
        trade_off=coverage_curve(calibrated, labels),
    )


def first_reports(
    classifier: EmotionClassifier,
    dataset: Dataset,
    *,
    with_test: bool = True,
    progress: Progress = no_progress,
) -> dict[str, EvaluationReport]:
    """The reports that a model is stored with: on validation and, once, on test.

    Args:
        classifier: The calibrated model.
        dataset: As it was imported: figures with edits compare with no others.
        with_test: Whether to score the test split too.
        progress: Told the images done, of both splits together.

    Returns:
        Reports by split; a split without images has none.
    """
    wanted = (Split.VALIDATION, Split.TEST) if with_test else (Split.VALIDATION,)
    splits = [split for split in wanted if len(dataset.indices(split))]
    total = sum(len(dataset.indices(split)) for split in splits)
    reports: dict[str, EvaluationReport] = {}
    before = 0
    for split in splits:
        told = _part(progress, before, total, f"evaluating {split.value}")
        reports[split.value] = evaluate(classifier, dataset, split, progress=told)
        before += len(dataset.indices(split))
    return reports


def dataset_reference(dataset: Dataset) -> dict[str, Any]:
    """What a contract says of the data that a model was made with.

    The fingerprint is that of the dataset as it was imported; of edits it says
    how many there are, the overlay itself stays with the data.
    """
    edits = dataset.edits
    return {
        "name": dataset.name,
        "title": dataset.meta.title,
        "synthetic": dataset.meta.synthetic,
        "fingerprint": dataset.official.meta.fingerprint,
        "edits": None
        if edits is None
        else {
            "version": edits.version,
            "excluded": edits.num_excluded,
            "relabelled": edits.num_relabelled,
            "fingerprint": dataset.meta.fingerprint,
        },
    }


def _part(progress: Progress, before: int, whole: int, what: str) -> Progress:
    """The progress of one split as that of all."""

    def tell(done: float, total: float | None, text: str = "") -> None:
        progress(before + done, whole, what)

    return tell
