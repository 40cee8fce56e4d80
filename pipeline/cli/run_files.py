"""`runs delete`, `restore`, `trash`, `export`, `import`, `ship`: runs that go and come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import (
    JsonFlag,
    console,
    loading_keras,
    notes,
    print_json,
    progress_bar,
    runs,
)
from pipeline.cli.tables import print_rows
from pipeline.dataset import DatasetStore
from pipeline.errors import ExportError, RunStateError, listed
from pipeline.files import replaced_file
from pipeline.home import SHIPPED_MODELS, Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.runs import KEPT_FOR
from pipeline.runs.store import is_id
from pipeline.runs.transfer import export_runs, import_runs

_Run = Annotated[str, typer.Argument(metavar="RUN")]
_YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def delete(run_id: _Run, yes: _YES = False) -> None:
    """Moves a run with its model to the trash, where it is kept for 30 days."""
    run = runs().get(run_id)
    if not yes:
        typer.confirm(f"Move run {run.id} with its model to the trash?", abort=True, err=True)
    runs().delete(run.id)
    console().print(
        f"Deleted {run.id}; `runs restore {run.id}` brings it back within {KEPT_FOR.days} days.",
        markup=False,
    )


def restore(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN", help="An id, or a token of `runs trash`.")
    ],
) -> None:
    """Brings a deleted run back; of several with that id, the last deleted."""
    run = runs().restore(run_id)
    console().print(f"Restored {run.id}.", markup=False)


def trash(
    empty: Annotated[bool, typer.Option("--empty", help="Remove all of them for good.")] = False,
    yes: _YES = False,
    as_json: JsonFlag = False,
) -> None:
    """Lists the deleted runs."""
    found = runs().trash.list()
    if empty:
        if not yes:
            typer.confirm(f"Remove {len(found)} runs for good?", abort=True, err=True)
        number = runs().trash.discard()
        console().print(f"Removed {number} runs for good.", markup=False)
        return
    rows = [
        {"run": item.run.id, "deleted": f"{item.deleted:%Y-%m-%d %H:%M}", "token": item.token}
        for item in found
    ]
    if as_json:
        print_json(rows)
        return
    if rows:
        print_rows("Trash (times in UTC)", rows, least=("deleted",))
    else:
        notes().print("The trash is empty.")


def export(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN…")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="With what it takes to train on; much larger.")
    ] = False,
) -> None:
    """Writes runs as one zip file."""
    chosen = list({run.id: run for run in map(runs().get, run_ids)}.values())
    try:
        with replaced_file(file) as stream:
            export_runs(chosen, stream, checkpoints=checkpoints)
    except OSError as error:
        raise ExportError(f"{file} cannot be written: {error}") from error
    console().print(f"Wrote {listed([run.id for run in chosen])} to {file}.", markup=False)


def ship(
    run_id: _Run,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The shipped model's name.")],
) -> None:
    """For maintainers: makes a run's model one that comes with the program, in `models/`."""
    home = Home.from_environment()
    run = runs().get(run_id)
    if not is_id(name) or ModelCatalog(home).is_taken(name):
        raise RunStateError(
            f"{name!r} cannot name a model: use lower-case letters, digits, '.', '_' and '-', and "
            "a name that no model or run has"
        )
    with loading_keras():
        from pipeline.training.shipping import ship as ship_run
    folder = SHIPPED_MODELS / name
    with progress_bar("Shipping") as progress:
        ship_run(run, DatasetStore(home.data), folder, progress=progress)
    size = sum(path.stat().st_size for path in folder.iterdir())
    console().print(f"{name} ships with the program: {folder}, {size / 1e6:.1f} MB", markup=False)


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Reads runs that `runs export` wrote; one gets a new id if its own is taken."""
    found = [run.id for run in import_runs(runs(), file)]
    if as_json:
        print_json([{"run": run_id} for run_id in found])
    else:
        console().print(f"Imported {listed(found)}.", markup=False)
