"""`report`: everything known of a model, as one document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import (
    ModelName,
    ScoredSplit,
    Views,
    console,
    notes,
    pick_dataset,
    progress_bar,
    trained_on_if_here,
)
from pipeline.dataset import Split
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.reporting import SUFFIXES, compose, gather, write_report


def report(
    model: ModelName,
    out: Annotated[
        Path, typer.Option("--out", help="The file to write: .html, or .md for Markdown.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Name of an imported dataset; default: the one it was trained on, or without "
            "that the figures stored with the model."
        ),
    ] = None,
    split: ScoredSplit = Split.TEST,
    tta: Views = "none",
    mistakes: Annotated[
        int,
        typer.Option(
            min=0,
            max=100,
            help="How many of the most confident mistakes to show as pictures. They are faces of "
            "people.",
        ),
    ] = 0,
) -> None:
    """Writes a model's report: figures, confusion, calibration, data and model card, limits.

    The HTML file holds everything it needs, and opens without a connection.
    """
    if out.suffix not in SUFFIXES:
        raise ConfigError(f"a report's file name ends in {' or '.join(SUFFIXES)}, got {out.name!r}")
    home = Home.from_environment()
    entry = ModelCatalog(home).resolve(model)
    chosen = pick_dataset(dataset) if dataset else trained_on_if_here(entry.contract())
    with progress_bar("Scoring") as progress:
        material = gather(entry, chosen, split, cache=home.cache, tta=tta, progress=progress)
    write_report(compose(material, num_mistakes=mistakes), out)
    if chosen is None:
        notes().print("Its dataset is not here: the report tells the stored figures.")
    console().print(f"Report: {out}", markup=False, soft_wrap=True)
