"""What a dashboard does to its home, busily, in a process of its own."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path

from app import state
from app.keeper import Keeper
from pipeline.dataset import DatasetStore
from pipeline.dataset.overlay import OverlayConflictError, OverlayStore, exclude
from pipeline.dataset.readers import import_dataset
from pipeline.errors import DatasetError, RunNotFoundError, RunStateError
from pipeline.home import Home
from pipeline.runs import RunStore, edit_notes
from pipeline.runs.notes import change_tags
from pipeline.training import worker
from pipeline.training.queue import RunQueue

ROUNDS = 12
STARTS = "starts.txt"

# Stands in for a training: it notes its start, and whether another was at work.
_TRAINING = """
import fcntl, sys, time
run, folder = sys.argv[1:]
with open(folder + "/alone.lock", "w") as alone, open(folder + "/starts.txt", "a") as starts:
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        starts.write(run + "\\n")
    except OSError:
        starts.write(run + " beside another\\n")
    starts.flush()
    time.sleep(0.02)
"""


def act(home: Home, number: int, table: Path, ready: Barrier) -> None:
    """Edits, imports and starts trainings, while another process does the same.

    Args:
        home: With the dataset `faces`, of at least `2 * ROUNDS` images, and the
            run `shared`.
        number: 0 or 1, tells the processes apart.
        table: A dataset to import as `imported`.
        ready: Both begin at the same moment.
    """
    worker.launch = _launch  # type: ignore[attr-defined]
    rng = random.Random(number)
    keeper = Keeper(home, every=0.02)
    ready.wait()
    keeper.start()
    for turn in range(ROUNDS):
        _edit(home, 2 * turn + number)
        _remember(home, number, turn)
        _tag(home, f"tag {number}-{turn % 5}")
        edit_notes(home.runs / "shared", **{("title", "note")[number]: f"{number} at {turn}"})
        run = RunStore(home.runs).create({"architecture": "dense", "by": number})
        RunQueue(home).submit(run)
        _try_to_delete_what_both_want(home, turn)
        if turn % 4 == 0:
            _import(home, table)
        time.sleep(rng.uniform(0, 0.01))
    while RunQueue(home).state.waiting:
        time.sleep(0.01)
    keeper.close()


def _edit(home: Home, image: int) -> None:
    faces, overlays = DatasetStore(home.data).open("faces"), OverlayStore(home.data)
    while True:
        try:
            overlays.add(faces, exclude([image]), based_on=overlays.load(faces).version)
        except OverlayConflictError:
            continue  # as a user who looks again
        return


def _tag(home: Home, tag: str) -> None:
    while tag not in RunStore(home.runs).get("shared").notes.tags:
        with suppress(RunStateError):  # the other has just changed them: look again
            change_tags(home.runs / "shared", add=[tag])


def _remember(home: Home, number: int, turn: int) -> None:
    """Each process changes a choice that the other leaves alone."""
    field = ("active_dataset", "recognition")[number]
    for again in range(10):
        value = (f"faces-{turn}-{again}", {"smoothing": turn + again})[number]
        state.remember(home, **{field: value})
        found = getattr(state.load_preferences(home), field)
        if found != value:
            raise ValueError(f"the other took {field} back to {found}")


def _try_to_delete_what_both_want(home: Home, turn: int) -> None:
    runs = RunStore(home.runs)
    for again in range(5):
        name = f"common-{turn}-{again}"
        with suppress(RunStateError):  # the other has made it
            runs.create({}, name=name)
        with suppress(RunNotFoundError, RunStateError):  # the other has deleted it, or is about to
            runs.delete(name)
        runs.list()


def _import(home: Home, table: Path) -> None:
    try:
        import_dataset(table, DatasetStore(home.data), "imported")
    except DatasetError as error:
        if "imported already" not in str(error):
            raise


def _launch(arguments: Sequence[str], home: Home, log: Path, **variables: str) -> int:
    command = [sys.executable, "-S", "-c", _TRAINING, arguments[-1], str(home.root)]
    process = subprocess.Popen(command)
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid
