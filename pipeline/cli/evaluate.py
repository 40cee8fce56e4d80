"""`evaluate`: a model's figures on a split of a dataset."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.common import (
    EDITS_METAVAR,
    JsonFlag,
    ModelName,
    ScoredDataset,
    ScoredSplit,
    Views,
    console,
    pick_dataset,
    print_json,
    progress_bar,
    trained_on,
    with_edits,
)
from pipeline.dataset import Split
from pipeline.evaluation import EvaluationReport
from pipeline.evaluation import evaluate as evaluate_model
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier


def evaluate(
    model: ModelName,
    dataset: ScoredDataset = None,
    edits: Annotated[
        str | None,
        typer.Option(
            metavar=EDITS_METAVAR,
            help="Exclusions and relabels to score with, as made on the dataset page. Only "
            "figures without them compare with others. Default: none.",
        ),
    ] = None,
    split: ScoredSplit = Split.TEST,
    tta: Views = "none",
    as_json: JsonFlag = False,
) -> None:
    """Scores a model on a split: accuracy with its interval, by class, calibration, speed."""
    entry = ModelCatalog(Home.from_environment()).resolve(model)
    classifier = EmotionClassifier.load(entry.folder)
    chosen = pick_dataset(dataset) if dataset else trained_on(classifier.contract)
    chosen = with_edits(chosen, edits)
    with progress_bar("Scoring") as progress:
        report = evaluate_model(classifier, chosen, split, tta=tta, progress=progress)
    if as_json:
        print_json(report.to_dict())
        return
    _print(report)


def _print(report: EvaluationReport) -> None:
    where = f"{report.dataset.name}, {report.split} split"
    if report.dataset.overlay_version is not None:
        where += f" with version {report.dataset.overlay_version} of the edits"
    if report.dataset.synthetic:
        where += " (synthetic faces)"
    console().print(_figures(report, where))
    console().print(_classes(report))
    console().print(_confusion(report))


def _figures(report: EvaluationReport, where: str) -> Table:
    table = Table(title=f"{report.model} on {where}", show_header=False)
    clean = report.clean
    rows = {
        "Images": f"{report.num_samples:,}",
        "Test-time augmentation": report.tta,
        "Accuracy": f"{report.accuracy:.2%}{_interval(report.accuracy_ci95)}",
        f"Accuracy, clean ({clean.num_samples:,} images)": (
            "no image left"
            if clean.accuracy is None
            else f"{clean.accuracy:.2%}{_interval(clean.accuracy_ci95)}"
        ),
        "Macro-F1": f"{report.macro_f1:.3f} (95 %: {report.macro_f1_ci95[0]:.3f} to "
        f"{report.macro_f1_ci95[1]:.3f})",
        "Balanced accuracy": f"{report.balanced_accuracy:.2%}",
        "Top-2 accuracy": f"{report.top2_accuracy:.2%}",
        "Calibration error (ECE)": f"{report.ece:.3f}",
        "Negative log-likelihood": f"{report.nll:.3f}",
        f"Answered at {report.threshold:.2f} or more": f"{report.coverage:.1%}"
        + ("" if report.answered_accuracy is None else f", {report.answered_accuracy:.2%} right"),
        "Time for one face": "not measured"
        if report.latency_ms is None
        else f"{report.latency_ms:.2f} ms (median)",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _classes(report: EvaluationReport) -> Table:
    table = Table(title="By class")
    for heading in ("class", "precision", "recall", "F1", "images"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for name, score in report.per_class.items():
        shares = (f"{share:.1%}" for share in (score.precision, score.recall, score.f1))
        table.add_row(name, *shares, f"{score.support:,}")
    return table


def _confusion(report: EvaluationReport) -> Table:
    table = Table(title="Confusion (rows true, columns predicted)")
    table.add_column("")
    for name in report.labels:
        table.add_column(name, justify="right")
    for index, (name, row) in enumerate(zip(report.labels, report.confusion_matrix, strict=True)):
        cells = (f"[bold]{count}[/]" if k == index else str(count) for k, count in enumerate(row))
        table.add_row(name, *cells)
    return table


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" (95 %: {interval[0]:.2%} to {interval[1]:.2%})"
