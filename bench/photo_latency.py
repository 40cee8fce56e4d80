"""How long a photo takes from file to predictions, against the PyPI package `fer` if installed.

    python -m bench.photo_latency [--model RUN] [--rounds 10]

The photos are made from `skimage.data.astronaut()`: the portrait itself, and
groups of known size. Both sides decode the same JPEG bytes in the same process.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image

from pipeline.errors import ModelLoadError
from pipeline.home import Home
from pipeline.recognition import images
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer

GROUPS = {
    "portrait, 512×512, 1 face": (1, 1, 512),
    "group, 1280×960, 12 faces": (4, 3, 320),
    "group, 2400×1800, 12 faces": (4, 3, 600),
    "crowd, 2400×1800, 48 faces": (8, 6, 300),
}


def photo(columns: int, rows: int, side: int) -> bytes:
    """A JPEG of the astronaut, `columns × rows` times, varied in light and mirrored."""
    person = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    lights = np.random.default_rng(0).uniform(0.7, 1.0, (rows, columns))
    pixels = np.vstack(
        [
            np.hstack([_varied(person, light, column) for column, light in enumerate(line)])
            for line in lights
        ]
    )
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def _varied(person: npt.NDArray[np.uint8], light: float, column: int) -> npt.NDArray[np.uint8]:
    return (person[:, :: -1 if column % 2 else 1] * light).astype(np.uint8)


def ours(model: str | None) -> Callable[[bytes], int]:
    catalog = ModelCatalog(Home.from_environment())
    entry = catalog.resolve(model) if model else catalog.active()
    if entry is None:
        raise ModelLoadError("there is no model yet: train one, or name one with --model")
    recognizer = Recognizer(EmotionClassifier.load(entry.folder), make_detector())
    return lambda data: len(recognizer.recognize(images.decode(data)))


def theirs() -> Callable[[bytes], int] | None:
    if importlib.util.find_spec("fer") is None:
        return None
    from fer.fer import FER

    detector = FER()
    return lambda data: len(
        detector.detect_emotions(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    )


def measure(recognize: Callable[[bytes], int], data: bytes, rounds: int) -> tuple[int, list[float]]:
    """Faces found, and milliseconds of each round after a first one that does not count."""
    found, times = recognize(data), []
    for _ in range(rounds):
        began = time.perf_counter()
        recognize(data)
        times.append(1000 * (time.perf_counter() - began))
    return found, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    sides = {"FER Lab": ours(options.model), "fer": theirs()}
    for title, (columns, rows, side) in GROUPS.items():
        data = photo(columns, rows, side)
        print(f"{title}")
        for name, recognize in sides.items():
            if recognize is None:
                print(f"  {name:8s} is not installed")
                continue
            found, times = measure(recognize, data, options.rounds)
            print(
                f"  {name:8s} median {statistics.median(times):7.1f} ms (min {min(times):.1f}, max "
                f"{max(times):.1f}), {found} of {columns * rows} faces found"
            )


if __name__ == "__main__":
    main()
