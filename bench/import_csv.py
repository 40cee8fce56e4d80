"""Times the CSV import against the usual pandas way, in seconds and peak memory.

    python bench/import_csv.py path/to/fer2013.csv
    FERLAB_FER2013=path/to/fer2013.csv.xz python bench/import_csv.py

Each side runs in a process of its own, its imports included. A packed file is
unpacked first, so that both read the same plain CSV.
"""

from __future__ import annotations

import argparse
import lzma
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


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
    """Runs one side in this process and prints its figures."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = SIDES[side](path, Path(folder))
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{side:9} {rows:7,} rows  {seconds:6.2f} s  {used.ru_utime + used.ru_stime:6.2f} s of CPU"
        f"  {used.ru_maxrss / 1024:6.0f} MB at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", default=os.environ.get("FERLAB_FER2013"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.path:
        parser.error("name fer2013.csv, or set FERLAB_FER2013")
    path = Path(arguments.path)
    if arguments.side:
        measure(arguments.side, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".xz":
            plain = Path(folder) / "fer2013.csv"
            with lzma.open(path) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, file, 2**20)
            path = plain
        for side in SIDES:
            subprocess.run([sys.executable, __file__, str(path), "--side", side], check=True)


if __name__ == "__main__":
    main()
