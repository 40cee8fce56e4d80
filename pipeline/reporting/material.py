"""What a report is made of: gathered once, from what is stored and what can be computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError
from pipeline.evaluation.evaluator import summarise
from pipeline.evaluation.predictions import Predictions, PredictionStore
from pipeline.evaluation.report import EvaluationReport
from pipeline.evaluation.stored import stored_reports
from pipeline.evaluation.stress import StressReport, StressStore
from pipeline.progress import Progress, no_progress
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract


@dataclass(frozen=True)
class Material:
    """All that a report can tell.

    Attributes:
        name: The model's name.
        contract: Its contract.
        report: The figures on the split that the report is about.
        stored: The reports that the model came with.
        dataset: The dataset; `None` if only the stored figures are told.
        predictions: The answers that `report` sums up; `None` likewise.
        stress: What the stress bench found for the split, if it was run.
    """

    name: str
    contract: ModelContract
    report: EvaluationReport
    stored: dict[Split, EvaluationReport]
    dataset: Dataset | None = None
    predictions: Predictions | None = None
    stress: StressReport | None = None


def gather(
    entry: ModelEntry,
    dataset: Dataset | None,
    split: Split,
    *,
    cache: Path,
    tta: str = "none",
    progress: Progress = no_progress,
) -> Material:
    """Collects what a report tells; images are scored unless that was done before.

    Args:
        entry: The model.
        dataset: As it was imported; `None` makes a report of the stored figures.
        split: Which part of it.
        cache: `Home.cache`.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
        progress: Told the images done.

    Raises:
        ModelLoadError: If the model is damaged.
        DatasetError: If the split is empty, or there is no dataset and no
            stored report of that split and augmentation.
    """
    contract, stored = entry.contract(), stored_reports(entry.folder)
    if dataset is None:
        report = stored.get(split)
        if report is None or report.tta != tta:
            known = ", ".join(f"{name} (augmentation {item.tta})" for name, item in stored.items())
            raise DatasetError(
                f"without its dataset, the report of {entry.name!r} can only be on what was stored "
                f"with it ({known or 'nothing'}), not on {split.value} (augmentation {tta})"
            )
        return Material(entry.name, contract, report, stored)
    found = PredictionStore(cache).get(entry.folder, dataset, split, tta=tta, progress=progress)
    return Material(
        entry.name,
        contract,
        summarise(found, dataset, threshold=contract.unsure_below),
        stored,
        dataset,
        found,
        StressStore(cache).load(entry.folder, dataset, split) if tta == "none" else None,
    )
