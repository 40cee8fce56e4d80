"""The command line: `python -m pipeline --help`."""

from __future__ import annotations

import sys

import typer

from pipeline import __version__
from pipeline.cli import (
    compare,
    dataset,
    ensemble,
    estimate,
    evaluate,
    export,
    recognize,
    report,
    runs,
    stability,
    stress,
    sweep,
    train,
    video,
)
from pipeline.cli.common import notes
from pipeline.errors import PipelineError
from pipeline.files import disk_trouble
from pipeline.progress import Cancelled

app = typer.Typer(
    name="python -m pipeline",
    help="FER Lab: facial expression recognition, from dataset to deployed model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(dataset.app, name="dataset")
app.add_typer(runs.app, name="runs")
app.add_typer(sweep.app, name="sweep")
app.command("train")(train.train)
app.command("estimate")(estimate.estimate)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("stress")(stress.stress)
app.command("stability")(stability.stability)
app.command("ensemble")(ensemble.ensemble)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("recognize")(recognize.recognize)
app.command("video")(video.video)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Runs a command; a foreseen error is one line on standard error and exit code 1."""
    try:
        app()
    except Cancelled as wish:
        notes().print(str(wish) or "stopped", style="yellow", markup=False)
        sys.exit(130)
    except (PipelineError, OSError) as error:
        reason = str(error) if isinstance(error, PipelineError) else disk_trouble(error)
        if reason is None:
            raise
        notes().print(f"error: {reason}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
