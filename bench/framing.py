"""Where FER-2013's frame lies around a detector's boxes, and what finding faces again costs.

    python -m bench.framing --dataset fer2013 [--detector ssd] [--model RUN] [--count 1000]

Validation images are enlarged and pasted into larger scenes, and the detector
looks for them there. The medians of scale and offset are the `Framing` of the
detector. With a model, its accuracy on the crops that the recognizer takes is
set against its accuracy on the images themselves.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import DETECTORS, Face, FaceDetector, make_detector
from pipeline.recognition.geometry import Box, Framing, iou
from pipeline.recognition.recognizer import Recognizer

ENLARGED = 4
MARGIN = 0.5
SCENES = ("grey", "blurred", "photo")
SCALES = (1.0, 1.05, 1.1, 1.15, 1.2)
LEAST_IOU = 0.2

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Found:
    """A pasted face: the scene, its frame in it, and what the detector found there."""

    index: int
    scene: Image
    frame: Box
    face: Face | None


def paste(image: Image, kind: str) -> tuple[Image, Box]:
    """A scene around an enlarged FER-2013 image, and the image's place in it."""
    face = cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    side = len(face)
    margin = int(side * MARGIN)
    scene = cv2.copyMakeBorder(face, *(margin,) * 4, cv2.BORDER_REPLICATE)
    if kind == "grey":
        scene[:] = 128
    elif kind == "blurred":
        scene = cv2.GaussianBlur(scene, (0, 0), side * 0.08)
    else:
        photo = cv2.cvtColor(skimage.data.coffee(), cv2.COLOR_RGB2GRAY)
        scene = cv2.resize(photo, scene.shape[::-1], interpolation=cv2.INTER_AREA)
    scene[margin : margin + side, margin : margin + side] = face
    frame = Box(float(margin), float(margin), float(side), float(side))
    return cv2.cvtColor(scene, cv2.COLOR_GRAY2RGB), frame


def find(dataset: Dataset, indices: Image, kind: str, detector: FaceDetector) -> list[Found]:
    results = []
    for index in indices:
        scene, frame = paste(np.asarray(dataset.images[index]), kind)
        faces = [face for face in detector.detect(scene) if iou([face.box], [frame]) > LEAST_IOU]
        results.append(Found(int(index), scene, frame, faces[0] if faces else None))
    return results


def fit(results: list[Found], current: Framing) -> None:
    """Prints the medians, their spread, and how well the framing in force meets the frames."""
    seen = [(found.face.box, found.frame) for found in results if found.face]
    scales = [frame.w / (box.w * box.h) ** 0.5 for box, frame in seen]
    downs = [(frame.center[1] - box.center[1]) / frame.w for box, frame in seen]
    meets = [float(iou([current.frame(box)], [frame])[0, 0]) for box, frame in seen]
    print(f"  found {len(seen)} of {len(results)} ({len(seen) / len(results):.1%})")
    for name, values in (("scale", scales), ("down", downs)):
        low, middle, high = np.percentile(values, [25, 50, 75])
        print(f"  {name:5s} median {middle:6.3f}, half of them from {low:.3f} to {high:.3f}")
    worst, middle = np.percentile(meets, [10, 50])
    print(f"  {current}: IoU with the true frame {middle:.3f} (10th percentile {worst:.3f})")


def compare(
    dataset: Dataset, results: list[Found], detector: FaceDetector, model: EmotionClassifier
) -> None:
    """Prints accuracy on the images themselves and on the crops taken again."""
    seen = [found for found in results if found.face]
    indices = [found.index for found in seen]
    labels = np.asarray(dataset.labels[indices])
    direct = model.scores(np.asarray(dataset.images[indices])).labels
    print(f"  accuracy on the images themselves: {np.mean(direct == labels):.2%}")
    in_force = detector.framing
    for scale in dict.fromkeys((in_force.scale, *SCALES)):
        detector.framing = replace(in_force, scale=scale)
        recognizer = Recognizer(model, detector)
        again = np.array(
            [recognizer.predict(found.scene, [found.face])[0].probabilities for found in seen]
        ).argmax(axis=1)
        accuracy, change = (
            np.mean(again == labels),
            np.mean(again == labels) - np.mean(direct == labels),
        )
        mark = " (in force)" if scale == in_force.scale else ""
        print(
            f"  found again, scale {scale:.2f}{mark}: {accuracy:.2%} ({100 * change:+.1f} points)"
        )
    detector.framing = in_force


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="fer2013")
    parser.add_argument(
        "--detector", choices=[name for name in DETECTORS if name != "none"], default=DETECTORS[0]
    )
    parser.add_argument("--model")
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    home = Home.from_environment()
    dataset = DatasetStore(home.data).open(options.dataset)
    validation = dataset.indices(Split.VALIDATION)
    count = min(options.count, len(validation))
    indices = np.random.default_rng(0).choice(validation, count, replace=False)
    detector = make_detector(options.detector)
    for kind in SCENES:
        print(f"{options.detector}, {kind} surroundings")
        results = find(dataset, np.sort(indices), kind, detector)
        fit(results, detector.framing)
        if options.model:
            entry = ModelCatalog(home).resolve(options.model)
            compare(dataset, results, detector, EmotionClassifier.load(entry.folder))


if __name__ == "__main__":
    main()
