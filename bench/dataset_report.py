"""How long the dataset report takes, and how much memory, at FER-2013's size and ten times it.

    FERLAB_FER2013=…/fer2013.csv.xz python -m bench.dataset_report [home]

The import is kept below `home` for the next time; by default it is thrown away.
The tenfold data are FER-2013 and nine altered versions of it: turned by a large
angle and noisy, so that the copies do not count as copies of one another.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import psutil

from bench.common import conclude
from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.quality import inspect
from pipeline.dataset.readers import import_dataset

TIMES = 10


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Prints wall time, CPU time and the highest memory in use, mapped files left out.

    The system drops the pages of a mapped file when others need room.
    """
    process = psutil.Process()

    def used() -> int:
        memory = process.memory_info()
        return int(memory.rss - memory.shared)

    base = used()
    peak, stop = [base], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], used())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        stop.set()
        watcher.join()
    print(
        f"{what:28s} {wall:7.1f} s wall {cpu:7.1f} s CPU   peak {peak[0] / 2**20:6.0f} MB, "
        f"{base / 2**20:.0f} before"
    )


def altered(images: np.ndarray, turn: float, rng: np.random.Generator) -> np.ndarray:
    """Each image turned by `turn` degrees and 15 more or less, mirrored at random, noisy."""
    height, width = images.shape[1:]
    output = np.empty_like(images)
    for index, image in enumerate(images):
        angle = turn + rng.uniform(-15, 15)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, rng.uniform(0.8, 1.25))
        turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        flipped = turned[:, :: rng.choice((-1, 1))]
        output[index] = np.clip(flipped + rng.normal(0, 10, image.shape), 0, 255)
    return output


def enlarge(dataset: Dataset, store: DatasetStore) -> Dataset:
    rng = np.random.default_rng(0)
    with store.writer("tenfold") as writer:
        for copy in range(TIMES):
            turn = copy * 360 / TIMES
            images = altered(dataset.images, turn, rng) if copy else np.asarray(dataset.images)
            writer.append(images, np.asarray(dataset.labels), np.asarray(dataset.split_codes))
        writer.finish(title="FER-2013, tenfold", source="bench", kind="bench")
    return store.open("tenfold")


def report(dataset: Dataset) -> str:
    """Prints what it took and found; gives the seconds in words."""
    began = time.perf_counter()
    with measured(f"inspect {len(dataset):,} images"):
        found = inspect(dataset)
    took = f"{len(dataset):,} images in {time.perf_counter() - began:.1f} s"
    print(
        f"    {len(found.exact.groups):,} exact groups, {len(found.near.groups):,} near groups, "
        f"{sum(map(len, found.near.groups)):,} images in them"
    )
    return took


def run(home: Path, source: Path) -> None:
    store = DatasetStore(home)
    names = store.names()
    dataset = store.open("fer2013") if "fer2013" in names else import_dataset(source, store)
    first = report(dataset)
    tenfold = store.open("tenfold") if "tenfold" in names else enlarge(dataset, store)
    conclude(f"{first}, {report(tenfold)}")


def main() -> None:
    source = os.environ.get("FERLAB_FER2013")
    if not source:
        sys.exit("FERLAB_FER2013 must name the real fer2013.csv, plain or compressed")
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]), Path(source))
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), Path(source))


if __name__ == "__main__":
    main()
