"""`ensemble`: several models made into one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table

from pipeline.cli.common import (
    EDITS_METAVAR,
    console,
    pick_dataset,
    progress_bar,
    trained_on,
    with_edits,
)
from pipeline.dataset import Dataset, Split
from pipeline.evaluation import Predictions, PredictionStore
from pipeline.evaluation.ensemble import NAME, Judgement, judge
from pipeline.evaluation.ensemble_package import save_ensemble
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog


def ensemble(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the new model is called.")],
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL…",
            help="Its members, two or more: runs' ids, folders below models/, or paths.",
        ),
    ],
    tta: Annotated[
        Literal["none", "flip"],
        typer.Option(help="Average over the face alone, or over its mirror image too."),
    ] = "none",
    dataset: Annotated[
        str | None,
        typer.Option(
            help="What it is calibrated and scored on; default: what the first was trained on."
        ),
    ] = None,
    edits: Annotated[
        str | None,
        typer.Option(
            metavar=EDITS_METAVAR,
            help="Exclusions and relabels to calibrate with. The scores are those without them. "
            "Default: none.",
        ),
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="Let the dashboard serve it from now on.")
    ] = False,
) -> None:
    """Averages models and saves them as one, to be used like any other.

    The members must take a face alike: same size, same contrast equalisation.
    """
    home = Home.from_environment()
    catalog = ModelCatalog(home)
    members = [catalog.resolve(model) for model in models]
    chosen = pick_dataset(dataset) if dataset else trained_on(members[0].contract())
    tuned_on = with_edits(chosen, edits)
    with progress_bar("Joining the networks") as progress:
        entry = save_ensemble(catalog, name, members, tuned_on, views=tta, progress=progress)
        # After saving, which refuses what cannot be an ensemble before anything is scored.
        store = PredictionStore(home.cache)

        def answers(data: Dataset, split: Split) -> dict[str, Predictions]:
            return {
                member.name: store.get(member.folder, data, split, tta=tta, progress=progress)
                for member in members
            }

        validation = answers(tuned_on, Split.VALIDATION)
        found = {
            split: judge(validation, answers(chosen, split), chosen)
            for split in (Split.VALIDATION, Split.TEST)
            if len(chosen.indices(split))
        }
    for split, judgement in found.items():
        console().print(_table(judgement, chosen, split))
    if activate:
        catalog.activate(entry.reference)
    console().print(f"{name}: {entry.folder}", markup=False, soft_wrap=True)


def _table(found: Judgement, dataset: Dataset, split: Split) -> Table:
    table = Table(title=f"On {split.value} of {dataset.name}")
    for heading in ("model", "accuracy", "macro-F1", "NLL", "ECE", "ms a face"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, report in found.reports.items():
        table.add_row(
            f"[bold]{name}[/]" if name == NAME else name,
            f"{report.accuracy:.2%}",
            f"{report.macro_f1:.3f}",
            f"{report.nll:.3f}",
            f"{report.ece:.3f}",
            "" if report.latency_ms is None else f"{report.latency_ms:.2f}",
        )
    delta = found.against_best.accuracy
    table.caption = (
        f"{delta.delta:+.2%} accuracy against {found.best} (95 %: {delta.ci95[0]:+.2%} to "
        f"{delta.ci95[1]:+.2%}): {found.against_best.verdict}"
    )
    return table
