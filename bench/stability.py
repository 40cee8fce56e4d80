"""How steady models are: from frame to frame of videos, and as the crop around a face shifts.

    python -m bench.stability MODEL… [--files CLIP_OR_PHOTO…] [--dataset fer2013]
        [--split validation] [--count 700]

MODEL is what `python -m pipeline evaluate` takes. Files are videos, or photos
by their names; of a photo only the crops are moved. The figures are those of
`pipeline.evaluation.stability`, in percent; "distance" is the mean
total-variation distance of the probabilities.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.evaluation.stability import (
    JITTERS,
    ClipStability,
    CropStability,
    Steadiness,
    clip_stability,
    crop_stability,
    jittered,
    split_stability,
)
from pipeline.evaluation.stress import NUM_IMAGES
from pipeline.home import Home
from pipeline.recognition import images
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer


def is_photo(path: Path) -> bool:
    return path.suffix.lower() in images.EXTENSIONS


def of_photo(path: Path, recognizer: Recognizer) -> CropStability:
    image = images.read(path)
    return crop_stability(jittered(image, recognizer.detector.detect(image), recognizer))


def over_time(title: str, found: Steadiness) -> None:
    if not found.pairs:
        print(f"    {title:9s} no face in two frames in a row")
        return
    print(
        f"    {title:9s} label changes {found.changed:6.1%}, what is shown "
        f"{found.shown_changed:6.1%}, distance {found.distance:6.1%} ({found.pairs} pairs)"
    )


def moved(found: CropStability) -> None:
    for name, score in found.jitters.items():
        print(
            f"    {JITTERS[name].title:12s} label changes {score.changed:6.1%}, distance "
            f"{score.distance:6.1%}"
        )


def clip(found: ClipStability) -> None:
    print(f"  {found.file}: {found.num_frames} frames, {found.num_tracks} tracks")
    over_time("raw", found.raw)
    over_time("smoothed", found.smoothed)
    print(f"    crops of {found.crops.num_faces} faces moved:")
    moved(found.crops)


def report(
    model: EmotionClassifier,
    files: Sequence[Path],
    dataset: Dataset | None,
    split: Split,
    count: int,
) -> None:
    recognizer = Recognizer(model, make_detector())
    for path in files:
        if is_photo(path):
            crops = of_photo(path, recognizer)
            print(f"  {path.name}: crops of {crops.num_faces} faces moved")
            moved(crops)
        else:
            clip(clip_stability(path, recognizer))
    if dataset is not None:
        crops = split_stability(model, dataset, split, num_images=count)
        print(f"  {dataset.name}, {split.value}: crops of {crops.num_faces} images moved")
        moved(crops)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--files", nargs="+", type=Path, default=[], metavar="CLIP_OR_PHOTO")
    parser.add_argument("--dataset")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.VALIDATION)
    parser.add_argument("--count", type=int, default=NUM_IMAGES)
    given = parser.parse_args()
    home = Home.from_environment()
    dataset = DatasetStore(home.data).open(given.dataset) if given.dataset else None
    for name in given.models:
        entry = ModelCatalog(home).resolve(name)
        print(entry.name)
        report(EmotionClassifier.load(entry.folder), given.files, dataset, given.split, given.count)


if __name__ == "__main__":
    main()
