"""Two dashboards on one home: nothing of either is lost, nothing is done twice."""

import multiprocessing
import time
from collections import Counter

import numpy as np

from app import state
from pipeline.dataset import DatasetStore
from pipeline.dataset.overlay import OverlayStore
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training.queue import RunQueue
from tests.faults.dashboard_process import ROUNDS, STARTS, act

SECONDS = 120


def noted(home: Home, number: int) -> list[str]:
    """The starts of trainings, once the last ones have had the time to note theirs."""
    end = time.monotonic() + SECONDS
    while len(starts := (home.root / STARTS).read_text().splitlines()) < number:
        assert time.monotonic() < end, starts
        time.sleep(0.01)
    return starts


def test_two_dashboards_on_one_home(home: Home) -> None:
    datasets, runs = DatasetStore(home.data), RunStore(home.runs)
    labels = np.arange(4 * ROUNDS, dtype=np.uint8) % 7
    with datasets.writer("faces") as writer:
        writer.append(np.zeros((len(labels), 48, 48), np.uint8), labels, labels % 3)
        writer.finish(title="Faces", source="test", kind="csv")
    runs.create({}, name="shared")
    pixels = " ".join(["7"] * 48 * 48)
    table = home.root / "fer2013.csv"
    table.write_text("\n".join(["emotion,pixels,Usage", *[f"3,{pixels},Training"] * 20]))

    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(2)
    both = [spawn.Process(target=act, args=(home, number, table, ready)) for number in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join(SECONDS)
        process.kill()
    assert [process.exitcode for process in both] == [0, 0]

    faces = datasets.open("faces")
    overlay = OverlayStore(home.data).load(faces)
    assert overlay.version == 2 * ROUNDS
    assert sorted(image for edit in overlay.edits for image in edit.images) == [*range(2 * ROUNDS)]
    preferences, last = state.load_preferences(home), ROUNDS - 1
    assert preferences.active_dataset == f"faces-{last}-9"
    assert preferences.recognition == {"smoothing": last + 9}
    notes = runs.get("shared").notes
    assert (notes.title, notes.note) == (f"0 at {last}", f"1 at {last}")
    assert len(notes.tags) == 10
    assert len(datasets.open("imported")) == 20

    # Each training was started once, and one at a time.
    made = [run for run in runs.list() if "by" in run.config]
    assert Counter(run.config["by"] for run in made) == {0: ROUNDS, 1: ROUNDS}
    assert sorted(noted(home, len(made))) == sorted(run.id for run in made)
    assert RunQueue(home).state.waiting == ()
    assert {run.id for run in runs.list()} - {run.id for run in made} == {"shared"}
    assert not [*home.root.rglob("*.tmp"), *home.data.glob(".imported.*.*ing")]
    assert not [*(home.runs / ".incoming").iterdir()]
