"""`runs`: list, show, compare and annotate training runs; more in `run_files` and `queue`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli import queue, run_files
from pipeline.cli.common import JsonFlag, cell, console, notes, print_json, runs
from pipeline.errors import PipelineError
from pipeline.home import Home
from pipeline.runs import Run, RunNotes, RunStatus, edit_notes
from pipeline.runs.notes import change_tags
from pipeline.training.queue import RunQueue

app = typer.Typer(
    help="Training runs: list, show, compare, annotate, queue, delete, export.",
    no_args_is_help=True,
)


app.add_typer(queue.app, name="queue")
app.command("delete")(run_files.delete)
app.command("restore")(run_files.restore)
app.command("trash")(run_files.trash)
app.command("export")(run_files.export)
app.command("import")(run_files.import_)
app.command("ship")(run_files.ship)


@app.command("list")
def list_runs(
    tag: Annotated[list[str] | None, typer.Option(help="Only runs with this tag.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Archived runs, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Lists the runs, the newest first."""
    wanted = set(RunNotes.make(tags=tag or ()).tags)
    found = []
    for run in runs().list():
        if not wanted <= set(run.notes.tags) or (run.notes.archived and not everything):
            continue
        try:
            found.append(_summary(run))
        except (PipelineError, KeyError) as error:
            notes().print(
                f"warning: run {run.id}: {error}", style="yellow", markup=False, soft_wrap=True
            )
    if as_json:
        print_json(found)
        return
    if not found:
        notes().print("No runs yet: start one with `python -m pipeline train`.", markup=False)
        return
    _print_table("Runs", found)


@app.command()
def show(run_id: Annotated[str, typer.Argument(metavar="RUN")], as_json: JsonFlag = False) -> None:
    """Shows one run: configuration, state, history and scores."""
    run = runs().get(run_id)
    value = {
        **_summary(run),
        "note": run.notes.note,
        "archived": run.notes.archived,
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
    for text in (run.notes.note, run.state.reason):
        if text:
            console().print(text, markup=False)
    console().print(f"Files: {run.folder}", markup=False)


@app.command()
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN RUN…")], as_json: JsonFlag = False
) -> None:
    """Sets runs side by side, finished or not: stored scores, and settings in which they differ.

    It scores nothing; whether models differ by more than luck, `compare` tells.
    """
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
def edit(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    title: Annotated[str | None, typer.Option(help="What to call it; '': its id.")] = None,
    note: Annotated[str | None, typer.Option(help="What there is to say of it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag to add.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="A tag to take away.")] = None,
    archive: Annotated[
        bool | None,
        typer.Option("--archive/--unarchive", help="Leave it out of lists, or not any more."),
    ] = None,
) -> None:
    """Changes a run's title, note and tags, or archives it."""
    run = runs().get(run_id)
    wanted: dict[str, Any] = {"title": title, "note": note, "archived": archive}
    changes = {name: value for name, value in wanted.items() if value is not None}
    edit_notes(run.folder, **changes)
    change_tags(run.folder, add=tag or (), remove=untag or ())
    _print_table(run.id, [asdict(run.notes)])


def _summary(run: Run) -> dict[str, Any]:
    """A run in one row; figures of the epoch whose weights were kept."""
    state, config, best = run.state, run.config, run.best or {}
    test = run.evaluation.get("test", {})
    return {
        "run": run.id,
        "title": run.notes.title,
        "status": _status(run, state.status),
        "tags": ", ".join(run.notes.tags),
        "architecture": config["architecture"],
        "dataset": config["dataset"],
        "epochs": f"{len(run.history)}/{config['epochs']}",
        "best_epoch": best.get("epoch"),
        "val_accuracy": best.get("val_accuracy"),
        "val_macro_f1": best.get("val_macro_f1"),
        "test_accuracy": test.get("accuracy"),
        "created": state.created[:19],
    }


def _status(run: Run, status: RunStatus) -> str:
    place = RunQueue(Home.from_environment()).state.place(run.id)
    if place and not run.is_busy:
        return f"queued ({place})"
    # Its file calls every run so that was never trained.
    return "new" if status is RunStatus.QUEUED else status.value


def _epoch_row(entry: dict[str, Any]) -> dict[str, Any]:
    shown = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1")
    more = ("learning_rate", "images_per_second", "seconds")
    return {key: entry.get(key) for key in (*shown, *more)}


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=escape(title))
    for key in rows[0] if rows else ():
        table.add_column(key.replace("_", " "))
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    console().print(table)
