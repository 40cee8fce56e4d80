"""`stress`: what is left of a model's accuracy when faces get worse."""

from __future__ import annotations

from rich.table import Table

from pipeline.cli.common import (
    JsonFlag,
    ModelName,
    ScoredDataset,
    ScoredSplit,
    console,
    pick_dataset,
    print_json,
    progress_bar,
    trained_on,
)
from pipeline.dataset import Split
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from pipeline.evaluation.report import Interval
from pipeline.evaluation.stress import StressReport, StressStore
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog


def stress(
    model: ModelName,
    dataset: ScoredDataset = None,
    split: ScoredSplit = Split.TEST,
    as_json: JsonFlag = False,
) -> None:
    """Scores a model on worse faces: light, blur, noise, compression, hidden parts, bad boxes.

    The figures are kept, and shown at once the next time.
    """
    home = Home.from_environment()
    entry = ModelCatalog(home).resolve(model)
    chosen = pick_dataset(dataset) if dataset else trained_on(entry.contract())
    with progress_bar("Stress bench") as progress:
        report = StressStore(home.cache).get(entry.folder, chosen, split, progress=progress)
    if as_json:
        print_json(report.to_dict())
        return
    console().print(_figures(report))
    console().print(_accuracies(report))


def _figures(report: StressReport) -> Table:
    where = f"{report.dataset.name}, {report.split} split"
    if report.dataset.synthetic:
        where += " (synthetic faces)"
    table = Table(title=f"{report.model} under stress on {where}", show_header=False)
    rows = {
        "Images": f"{report.num_samples:,}",
        "Accuracy on the faces as they are": _share(report.clean_accuracy, report.clean_ci95),
        "Mean accuracy under corruption": _share(report.mean_accuracy, report.mean_ci95),
        "Robustness: share that is left": _share(report.robustness, report.robustness_ci95),
        "Answers that change": f"{report.changed:.1%}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _accuracies(report: StressReport) -> Table:
    table = Table(title="Accuracy by strength")
    table.add_column("corruption")
    for heading in ("0", *map(str, STRENGTHS)):
        table.add_column(heading, justify="right")
    for name, score in report.corruptions.items():
        shares = (f"{share:.1%}" for share in (report.clean_accuracy, *score.accuracy))
        table.add_row(CORRUPTIONS[name].title, *shares)
    return table


def _share(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return "no right answer to lose"
    return f"{value:.1%} (95 %: {interval[0]:.1%} to {interval[1]:.1%})"
