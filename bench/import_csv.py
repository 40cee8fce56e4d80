"""Times the CSV import against the usual pandas way, in seconds and peak memory.

    python -m bench.import_csv [path/to/fer2013.csv] [--rounds 3]

Without a path, `FERLAB_FER2013` names the file. Each side runs in a process of
its own, its imports included, and they take turns. A packed file is unpacked
first, so that both read the same plain CSV.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.common import conclude
from pipeline.home import PROJECT_ROOT


def with_pipeline(path: Path, folder: Path) -> int:
    from pipeline.dataset import DatasetStore
    from pipeline.dataset.readers import import_dataset

    return len(import_dataset(path, DatasetStore(folder)))


def with_pandas(path: Path, folder: Path) -> int:
    """What most notebooks on FER-2013 do; nothing is checked."""
    import numpy as np
    import pandas as pd

    table = pd.read_csv(path)
    images = np.stack([np.array(cell.split(), dtype=np.uint8) for cell in table["pixels"]])
    np.savez(folder / "fer2013.npz", images=images, labels=table["emotion"])
    return len(images)


SIDES = {"pipeline": with_pipeline, "pandas": with_pandas}


def measure(side: str, path: Path) -> None:
    """Runs one side in this process and prints its figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = SIDES[side](path, Path(folder))
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "memory": memory}))


def in_its_own_process(side: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.import_csv", str(path), "--side", side]
    done = subprocess.run(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def compare(path: Path, rounds: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            runs[side].append(in_its_own_process(side, path))
    usual = {
        side: {figure: median(run[figure] for run in found) for figure in found[0]}
        for side, found in runs.items()
    }
    for side, figures in usual.items():
        print(
            f"{side:9} {figures['rows']:7,.0f} rows  {figures['seconds']:6.2f} s  "
            f"{figures['cpu']:6.2f} s of CPU  {figures['memory']:6.0f} MB at most"
        )
    ours, theirs = usual["pipeline"], usual["pandas"]
    conclude(
        f"{ours['seconds']:.1f} s and {ours['memory']:.0f} MB; pandas takes times "
        f"{theirs['seconds'] / ours['seconds']:.1f} the seconds and "
        f"{theirs['memory'] / ours['memory']:.1f} the memory"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default=os.environ.get("FERLAB_FER2013"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.path:
        sys.exit("name fer2013.csv, or set FERLAB_FER2013")
    path = Path(arguments.path).resolve()
    if arguments.side:
        measure(arguments.side, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".xz":
            plain = Path(folder) / "fer2013.csv"
            with lzma.open(path) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file, 2**20)
            path = plain
        compare(path, arguments.rounds)


if __name__ == "__main__":
    main()
