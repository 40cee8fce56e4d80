"""The reports that lie in a model's folder, from the day that it was packaged."""

from __future__ import annotations

from pathlib import Path

from pipeline.dataset import Split
from pipeline.errors import ModelLoadError, PipelineError
from pipeline.evaluation.report import EvaluationReport
from pipeline.files import read_json
from pipeline.recognition.contract import EVALUATION


def stored_reports(folder: Path) -> dict[Split, EvaluationReport]:
    """Reads `evaluation.json` from a model's folder.

    Args:
        folder: Of the model.

    Returns:
        A report for each split that was scored; none if there is no such file.

    Raises:
        ModelLoadError: If the file is damaged.
    """
    path = folder / EVALUATION
    try:
        stored = read_json(path)
        return {Split(name): EvaluationReport.from_dict(value) for name, value in stored.items()}
    except FileNotFoundError:
        return {}
    except (AttributeError, ValueError, PipelineError) as error:
        raise ModelLoadError(f"{path} is damaged ({error}): evaluate the model again") from error


def headline_report(folder: Path) -> EvaluationReport | None:
    """The report that tells how good a model is: on the test split, else on validation.

    Args:
        folder: Of the model.

    Raises:
        ModelLoadError: If the file is damaged.
    """
    reports = stored_reports(folder)
    return reports.get(Split.TEST) or reports.get(Split.VALIDATION)
