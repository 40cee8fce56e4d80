"""`runs`: list, show, compare and delete training runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from pipeline.cli.common import JsonFlag, console, print_json, runs
from pipeline.runs import Run

app = typer.Typer(help="Training runs: list, show, compare, delete.", no_args_is_help=True)


@app.command("list")
def list_runs(as_json: JsonFlag = False) -> None:
    """Lists all runs, the newest first."""
    found = [_summary(run) for run in runs().list()]
    if as_json:
        print_json(found)
        return
    if not found:
        console().print("No runs yet: start one with `python -m pipeline train`.", markup=False)
        return
    _print_table("Runs", found)


@app.command()
def show(run_id: Annotated[str, typer.Argument(metavar="RUN")], as_json: JsonFlag = False) -> None:
    """Shows one run: configuration, state, history and scores."""
    run = runs().get(run_id)
    value = {
        **_summary(run),
        "folder": str(run.folder),
        "config": run.config,
        "environment": run.environment,
        "history": run.history,
        "evaluation": run.evaluation,
    }
    if as_json:
        print_json(value)
        return
    _print_table(run.id, [_summary(run)])
    _print_table("History", [_epoch_row(entry) for entry in run.history])
    if run.state.reason:
        console().print(run.state.reason, markup=False)
    console().print(f"Files: {run.folder}", markup=False)


@app.command()
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN RUN…")], as_json: JsonFlag = False
) -> None:
    """Sets runs side by side: their scores, and the settings in which they differ."""
    chosen = [runs().get(run_id) for run_id in run_ids]
    configs = [run.config for run in chosen]
    keys = sorted({key for config in configs for key in config})
    differing = [
        key for key in keys if any(config.get(key) != configs[0].get(key) for config in configs)
    ]
    rows = [
        {**_summary(run), **{key: config.get(key) for key in differing}}
        for run, config in zip(chosen, configs, strict=True)
    ]
    if as_json:
        print_json(rows)
    else:
        _print_table("Comparison", rows)


@app.command()
def delete(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Deletes a run with its model for good."""
    run = runs().get(run_id)
    if not yes:
        typer.confirm(f"Delete run {run.id} with its model for good?", abort=True, err=True)
    runs().delete(run.id)
    console().print(f"Deleted {run.id}.", markup=False)


def _summary(run: Run) -> dict[str, Any]:
    """A run in one row; figures of the epoch whose weights were kept."""
    state, config, best = run.state, run.config, run.best or {}
    test = run.evaluation.get("test", {})
    return {
        "run": run.id,
        "status": state.status.value,
        "architecture": config["architecture"],
        "dataset": config["dataset"],
        "epochs": f"{len(run.history)}/{config['epochs']}",
        "best_epoch": best.get("epoch"),
        "val_accuracy": best.get("val_accuracy"),
        "val_macro_f1": best.get("val_macro_f1"),
        "test_accuracy": test.get("accuracy"),
        "created": state.created[:19],
    }


def _epoch_row(entry: dict[str, Any]) -> dict[str, Any]:
    shown = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1")
    more = ("learning_rate", "images_per_second", "seconds")
    return {key: entry.get(key) for key in (*shown, *more)}


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title)
    for key in rows[0] if rows else ():
        table.add_column(key.replace("_", " "))
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console().print(table)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
