"""`runs`: list, show, compare and annotate training runs; more in `run_files` and `queue`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pipeline.cli import queue, run_files
from pipeline.cli.common import JsonFlag, notes, print_json, runs
from pipeline.cli.tables import print_facts, print_rows
from pipeline.errors import PipelineError
from pipeline.home import Home
from pipeline.runs import Run, RunNotes, RunStatus, edit_notes
from pipeline.runs.notes import change_tags
from pipeline.training.queue import RunQueue

app = typer.Typer(
    help="Training runs: list, show, compare, annotate, queue, delete, export.",
    no_args_is_help=True,
)

# The columns that a narrow terminal does without, the least important first.
_LEAST = (
    "val_macro_f1",
    "best_epoch",
    "created",
    "title",
    "tags",
    "dataset",
    "architecture",
    "test_accuracy",
    "epochs",
    "status",
)
_LEAST_OF_EPOCH = ("images_per_second", "seconds", "learning_rate", "loss", "accuracy")

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
        notes().print(_why_none(wanted, everything), markup=False)
        return
    print_rows("Runs", found, least=_LEAST)


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
    facts = {"note": run.notes.note, "reason": run.state.reason, "files": run.folder}
    print_facts(run.id, {**_summary(run), **facts})
    if run.history:
        rows = [_epoch_row(entry) for entry in run.history]
        print_rows("History", rows, least=_LEAST_OF_EPOCH)


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
        # The summary's epochs are both those done and those planned.
        {**_summary(run), **{key: config.get(key) for key in differing if key != "epochs"}}
        for run, config in zip(chosen, configs, strict=True)
    ]
    if as_json:
        print_json(rows)
    else:
        known = [key for key in _LEAST if key not in differing]
        print_rows("Comparison", rows, least=[*known, *reversed(differing)])


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
    found = run.notes
    print_facts(run.id, {**asdict(found), "tags": ", ".join(found.tags)})


def _why_none(tags: Collection[str], with_archived: bool) -> str:
    if not runs().list():
        return "No runs yet: start one with `python -m pipeline train`."
    which = f"No run is tagged {' and '.join(sorted(tags))}" if tags else "No run is to be listed"
    return which + ("." if with_archived else "; archived ones are listed with --all.")


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
