"""`runs queue`: which runs wait to be trained, and in which order."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import JsonFlag, console, print_json, runs
from pipeline.home import Home
from pipeline.training.queue import MAX_SLOTS, RunQueue

app = typer.Typer(help="Runs that wait to be trained: list, add, move, take out.")

_Run = Annotated[str, typer.Argument(metavar="RUN")]


@app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Shows which runs wait; starts the next ones if there is room."""
    if context.invoked_subcommand is not None:
        return
    started = [run.id for run in _queue().advance()]
    queue = _queue().state
    if as_json:
        print_json({"slots": queue.slots, "waiting": list(queue.waiting), "started": started})
        return
    for run_id in started:
        console().print(f"Started {run_id}.", markup=False)
    for place, run_id in enumerate(queue.waiting, 1):
        console().print(f"{place:3d}  {run_id}", markup=False)
    if not queue.waiting:
        console().print("No run waits: `runs queue add RUN` queues one.", markup=False)
    console().print(f"Runs at a time: {queue.slots}", markup=False)


@app.command()
def add(run_id: _Run) -> None:
    """Puts a new, stopped or failed run at the end of the queue; starts it if there is room."""
    run = runs().get(run_id)
    place = _queue().submit(run)
    words = f"waits at place {place}" if place else "is being trained in the background"
    console().print(f"{run.id} {words}.", markup=False)


@app.command()
def remove(run_id: _Run) -> None:
    """Takes a run out of the queue; the run itself stays."""
    run = runs().get(run_id)
    _queue().remove(run.id)
    console().print(f"{run.id} does not wait (any more).", markup=False)


@app.command()
def move(
    run_id: _Run, place: Annotated[int, typer.Argument(min=1, help="From 1, the next one.")]
) -> None:
    """Gives a run another place in the queue."""
    run = runs().get(run_id)
    _queue().move(run.id, place)
    console().print(f"{run.id} waits at place {_queue().state.place(run.id)}.", markup=False)


@app.command()
def slots(number: Annotated[int, typer.Argument(min=1, max=MAX_SLOTS)]) -> None:
    """Sets how many runs are trained at a time."""
    _queue().set_slots(number)
    console().print(f"Runs at a time: {number}", markup=False)


def _queue() -> RunQueue:
    return RunQueue(Home.from_environment())
