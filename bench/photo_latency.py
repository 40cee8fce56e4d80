"""How long a photo takes from file to predictions, against the PyPI package `fer` if installed.

    python -m bench.photo_latency [--model RUN] [--rounds 10]

The photos are made from `skimage.data.astronaut()`: the portrait itself, and
groups of known size. Both sides decode the same JPEG bytes in the same process,
and take turns.

The other side needs no place in this environment:

    pip install --no-deps --target FOLDER fer
    PYTHONPATH=FOLDER python -m bench.photo_latency
"""

from __future__ import annotations

import argparse
import importlib.util
import io
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image

from bench.common import conclude, in_turns, model_entry
from pipeline.recognition import images
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
    recognizer = Recognizer(EmotionClassifier.load(model_entry(model).folder), make_detector())
    return lambda data: len(recognizer.recognize(images.decode(data)))


def theirs() -> Callable[[bytes], int] | None:
    if importlib.util.find_spec("fer") is None:
        return None
    from fer.fer import FER

    detector = FER()
    return lambda data: len(
        detector.detect_emotions(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    sides = {"FER Lab": ours(options.model)}
    if other := theirs():
        sides["fer"] = other
    else:
        print("fer is not installed")
    ratios = []
    for title, (columns, rows, side) in GROUPS.items():
        data = photo(columns, rows, side)
        calls = {name: partial(recognize, data) for name, recognize in sides.items()}
        times = in_turns(calls, options.rounds)
        print(title)
        for name, found in times.items():
            print(
                f"  {name:8s} median {found.median:7.1f} ms (min {min(found.wall):.1f}, max "
                f"{max(found.wall):.1f}), {calls[name]()} of {columns * rows} faces found"
            )
        if other:
            ratios.append(f"{times['fer'].median / times['FER Lab'].median:.1f} ({title})")
    if ratios:
        conclude(f"fer takes times {'; '.join(ratios)}")


if __name__ == "__main__":
    main()
