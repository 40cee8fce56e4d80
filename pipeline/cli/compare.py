"""`compare`: models held against a baseline on the same images."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.common import (
    JsonFlag,
    console,
    pick_dataset,
    print_json,
    progress_bar,
    trained_on,
)
from pipeline.cli.tables import print_rows
from pipeline.dataset import Dataset, Split
from pipeline.dataset.duplicates import twins_in_train
from pipeline.errors import ConfigError
from pipeline.evaluation import Predictions, PredictionStore
from pipeline.evaluation.comparison import Comparison, PairComparison
from pipeline.evaluation.comparison import compare as compare_answers
from pipeline.evaluation.paired import Difference
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog, ModelEntry

_MOST = 8


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="BASELINE MODEL…",
            help="Runs' ids, folders below models/, or paths; the others are held against the "
            "first.",
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of an imported dataset; default: the one the first learned from."),
    ] = None,
    split: Annotated[
        Split, typer.Option(help="Which part of the dataset; keep the test split for the end.")
    ] = Split.VALIDATION,
    as_json: JsonFlag = False,
) -> None:
    """Holds models against a baseline: differences, their intervals, McNemar's test."""
    home = Home.from_environment()
    entries = _resolve(ModelCatalog(home), models)
    chosen = pick_dataset(dataset) if dataset else trained_on(entries[0].contract())
    answers = _answers(home, entries, chosen, split)
    found = compare_answers(answers, entries[0].name, clean_mask=~twins_in_train(chosen, split))
    if as_json:
        print_json({"dataset": chosen.name, **found.to_dict()})
        return
    _print_summary(found, chosen)
    for pair in found.pairs:
        console().print(_classes(pair))


def _resolve(catalog: ModelCatalog, models: list[str]) -> list[ModelEntry]:
    entries = [catalog.resolve(model) for model in models]
    names = [entry.name for entry in entries]
    if not 2 <= len(names) <= _MOST or len(set(names)) < len(names):
        raise ConfigError(
            f"expected 2 to {_MOST} different models to compare, got {', '.join(names)}"
        )
    return entries


def _answers(
    home: Home, entries: list[ModelEntry], dataset: Dataset, split: Split
) -> dict[str, Predictions]:
    store = PredictionStore(home.cache)
    answers = {}
    for entry in entries:
        with progress_bar(f"Scoring with {entry.name}") as progress:
            answers[entry.name] = store.get(entry.folder, dataset, split, progress=progress)
    return answers


def _print_summary(found: Comparison, dataset: Dataset) -> None:
    synthetic = " (synthetic faces)" if dataset.meta.synthetic else ""
    where = f"{found.num_samples:,} {found.split} images of {dataset.name}{synthetic}"
    clean = f"clean accuracy ({found.num_clean:,})"
    figures = ("accuracy", clean, "macro-F1", "balanced accuracy")
    first = found.pairs[0]
    rows = [(found.baseline, *map(_baseline, _figures(first)), "baseline")]
    for pair in found.pairs:
        compared = map(_with_delta, _figures(pair))
        rows.append((pair.other, *compared, f"{pair.verdict}\np {pair.p_adjusted:.2g}"))
    columns = ("model", *figures, "verdict")
    print_rows(
        f"Against {found.baseline} on {where}",
        [dict(zip(columns, row, strict=True)) for row in rows],
        # A verdict is on the accuracy, and is what is asked for.
        least=figures[::-1],
        caption="Differences in percentage points, with 95 % intervals (paired bootstrap). "
        "p: McNemar's exact test" + (", corrected by Holm" if len(found.pairs) > 1 else ""),
    )


def _classes(pair: PairComparison) -> Table:
    table = Table(title=f"{pair.other} against {pair.baseline}, by class")
    for heading in ("class", "images", "recall", "F1", "only baseline right", "only it right", "p"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for name, item in pair.per_class.items():
        test = item.mcnemar
        table.add_row(
            name,
            f"{item.support:,}",
            _points(item.recall),
            _points(item.f1),
            str(test.only_first),
            str(test.only_second),
            f"{item.p_adjusted:.2g}" + (" *" if item.is_significant else ""),
        )
    return table


def _figures(pair: PairComparison) -> tuple[Difference | None, ...]:
    return pair.accuracy, pair.clean_accuracy, pair.macro_f1, pair.balanced_accuracy


def _baseline(difference: Difference | None) -> str:
    return "no image left" if difference is None else f"{difference.baseline:.1%}"


def _with_delta(difference: Difference | None) -> str:
    if difference is None:
        return "no image left"
    # Three short lines: the figures of a model fit beside its name and the verdict.
    points = _points(difference, gap="\n")
    return f"{difference.other:.1%}\n{points}"


def _points(difference: Difference, gap: str = " ") -> str:
    low, high = difference.ci95
    return f"{100 * difference.delta:+.1f}{gap}({100 * low:+.1f} to {100 * high:+.1f})"
