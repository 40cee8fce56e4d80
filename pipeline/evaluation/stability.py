"""How steady a model's answers are: from frame to frame, and as the crop around a face shifts.

A face that does not change should keep its label, whatever the noise of the
camera and wherever exactly the detector draws its box. Neither needs to know
which label is right, so any video and any photo will do. How much networks fail
here is shown by Azulay and Weiss (2019, https://jmlr.org/papers/v20/19-519.html)
for shifts of a pixel, and by Gu et al. (2019, arXiv:1904.10076) for neighbouring
frames.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import PipelineError
from pipeline.evaluation.stress import NUM_IMAGES, subset
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import Face, make_detector
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.video.analysis import Sample, analyze
from pipeline.recognition.video.reading import VideoReader

JITTER_EVERY = 5
"""Of a video, every how many frames the crops are moved: neighbours look alike."""


@dataclass(frozen=True)
class Move:
    """Where a box goes.

    Attributes:
        right: As a share of the side of the square that is cut out.
        down: Likewise.
        scale: Its new sides, as shares of the old ones.
    """

    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Jitter:
    """One way in which a detector draws its box a little differently.

    Attributes:
        title: What the interface calls it.
        moves: All directions in which it happens.
    """

    title: str
    moves: tuple[Move, ...]


def _aside(share: float) -> tuple[Move, ...]:
    ways = ((share, 0.0), (-share, 0.0), (0.0, share), (0.0, -share))
    return tuple(Move(right, down) for right, down in ways)


JITTERS: dict[str, Jitter] = {
    "shift_2": Jitter("2 % aside", _aside(0.02)),
    "shift_4": Jitter("4 % aside", _aside(0.04)),
    "smaller_5": Jitter("5 % smaller", (Move(scale=0.95),)),
    "larger_5": Jitter("5 % larger", (Move(scale=1.05),)),
}
"""All by name, in the order in which they are shown."""

_MOVES = tuple(move for jitter in JITTERS.values() for move in jitter.moves)


@dataclass(frozen=True)
class Steadiness:
    """How much answers differ from those right before.

    All but `pairs` are in `[0, 1]`, and `None` without a pair.

    Attributes:
        pairs: How many times one face was seen in two frames in a row.
        changed: The share of these in which the most probable emotion is
            another one.
        shown_changed: The same for what is shown, where "unsure" counts as an
            answer of its own.
        distance: The mean total-variation distance of the probabilities: half
            of the sum of their differences, 1 if nothing is left of what was.
    """

    pairs: int
    changed: float | None
    shown_changed: float | None
    distance: float | None


@dataclass(frozen=True)
class JitterScore:
    """How much answers differ when the crops are moved; both are in `[0, 1]`.

    Attributes:
        changed: The share of the moved crops whose most probable emotion is
            not that of the face as it was found.
        distance: The mean total-variation distance; see `Steadiness`.
    """

    changed: float
    distance: float


@dataclass(frozen=True)
class CropStability:
    """What moving the crops comes to.

    Attributes:
        num_faces: The number of faces that it is told from.
        jitters: By the names of `JITTERS`; empty if there is no face.
    """

    num_faces: int
    jitters: dict[str, JitterScore]


@dataclass(frozen=True)
class ClipStability:
    """How steady a model is on a video.

    Attributes:
        file: The video's name.
        model: The model's name.
        num_frames: All frames that could be read.
        num_tracks: How many faces were followed.
        raw: By each frame alone.
        smoothed: As the dashboard shows it, averaged over time.
        crops: Under moved crops, in every `JITTER_EVERY`th frame.
    """

    file: str
    model: str
    num_frames: int
    num_tracks: int
    raw: Steadiness
    smoothed: Steadiness
    crops: CropStability

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return asdict(self)


def clip_stability(
    path: Path, recognizer: Recognizer, *, progress: Progress = no_progress
) -> ClipStability:
    """Follows the faces of a video through every frame.

    Args:
        path: The file, in any format that FFmpeg reads.
        recognizer: Scores the frames.
        progress: Told seconds of the video, twice from its beginning; asks to
            stop by raising.

    Raises:
        VideoFormatError: If not one frame can be read.
    """
    analysis = analyze(path, recognizer, interval=0.0, progress=progress)
    answers = []
    with VideoReader(path) as reader:
        for frame in itertools.islice(reader.frames(), 0, None, JITTER_EVERY):
            progress(min(frame.time, analysis.end), analysis.end, "moving the crops")
            image = frame.image()
            answers.append(jittered(image, recognizer.detector.detect(image), recognizer))
    return ClipStability(
        file=analysis.file,
        model=analysis.model,
        num_frames=len(analysis.samples),
        num_tracks=len(analysis.tracks),
        raw=steadiness(runs(analysis.samples)),
        smoothed=steadiness(runs(analysis.samples, smoothed=True)),
        crops=crop_stability(np.concatenate(answers)),
    )


def split_stability(
    classifier: EmotionClassifier,
    dataset: Dataset,
    split: Split,
    *,
    num_images: int = NUM_IMAGES,
    progress: Progress = no_progress,
) -> CropStability:
    """Moves the crops of a subset of a split, which are cut from the images themselves.

    What lies beyond an image's edge is its nearest pixel, as for a face at the
    edge of a photo. Moves are rounded to whole pixels: of 48, one and two. A
    crop of another size must be resampled, which costs an image this small some
    of its sharpness: the figures of the sizes hold that too.

    Args:
        classifier: The served model.
        dataset: The dataset.
        split: Which of its parts.
        num_images: Images of the subset, at most; see `stress.subset`.
        progress: Told the images done.

    Raises:
        DatasetError: If the split is empty.
    """
    recognizer = Recognizer(classifier, make_detector("none"))
    chosen = subset(dataset, split, num_images)
    answers = []
    for done, index in enumerate(chosen):
        progress(done, len(chosen), "moving the crops")
        image = np.repeat(np.asarray(dataset.images[index])[..., None], 3, axis=2)
        answers.append(jittered(image, recognizer.detector.detect(image), recognizer))
    progress(len(chosen), len(chosen))
    return crop_stability(np.concatenate(answers))


def jittered(
    image: npt.NDArray[np.uint8], faces: Sequence[Face], recognizer: Recognizer
) -> npt.NDArray[np.float32]:
    """Scores faces as they were found, and with their crops moved in every way of `JITTERS`.

    Args:
        image: `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`.
        faces: What the recognizer's detector found in it.
        recognizer: Scores the crops.

    Returns:
        Probabilities, `float32`, shape `(n, 1 + m, 7)`: of each face, first as
        it was found and then by the `m` moves in the order of `JITTERS`.
    """
    margin = recognizer.classifier.contract.face_margin
    framing = recognizer.detector.framing
    moved = [
        replace(face, box=_moved(face.box, move, framing.frame(face.box, margin).w))
        for face in faces
        for move in (Move(), *_MOVES)
    ]
    found = [prediction.probabilities for prediction in recognizer.predict(image, moved)]
    return np.array(found, np.float32).reshape(len(faces), 1 + len(_MOVES), NUM_EMOTIONS)


def crop_stability(answers: npt.NDArray[np.float32]) -> CropStability:
    """Sums up how much moved crops change what is said.

    Args:
        answers: As `jittered` gives them, of one image or of many together.

    Raises:
        PipelineError: If the array has another shape.
    """
    if answers.ndim != 3 or answers.shape[1:] != (1 + len(_MOVES), NUM_EMOTIONS):
        raise PipelineError(
            f"expected answers of shape (n, {1 + len(_MOVES)}, {NUM_EMOTIONS}), got {answers.shape}"
        )
    if not len(answers):
        return CropStability(0, {})
    found, start = {}, 1
    for name, jitter in JITTERS.items():
        moved = answers[:, start : start + len(jitter.moves)]
        start += len(jitter.moves)
        changed = moved.argmax(axis=2) != answers[:, :1].argmax(axis=2)
        distance = _total_variation(moved, answers[:, :1])
        found[name] = JitterScore(float(changed.mean()), float(distance.mean()))
    return CropStability(len(answers), found)


def runs(samples: Iterable[Sample], *, smoothed: bool = False) -> list[list[Prediction]]:
    """Splits a video into stretches in which one face is seen in every frame.

    Args:
        samples: Every frame of a video, in order of time.
        smoothed: Whether the predictions are those averaged over time.

    Returns:
        For each stretch its predictions in order of time.
    """
    found: list[list[Prediction]] = []
    last: dict[int, list[Prediction]] = {}
    for sample in samples:
        seen: dict[int, list[Prediction]] = {}
        for face in sample.faces:
            if face.track not in last:
                found.append([])
            run = last.get(face.track, found[-1])
            run.append(face.smoothed if smoothed else face.raw)
            seen[face.track] = run
        last = seen
    return found


def steadiness(stretches: Iterable[Sequence[Prediction]]) -> Steadiness:
    """Compares each prediction with the one right before it.

    Args:
        stretches: Predictions of one face each, in order of time, as `runs`
            gives them; one of a single frame has no pair.
    """
    pairs = [pair for stretch in stretches for pair in itertools.pairwise(stretch)]
    if not pairs:
        return Steadiness(0, None, None, None)
    earlier, later = (
        np.stack([prediction.probabilities for prediction in side])
        for side in zip(*pairs, strict=True)
    )
    shown = np.array([[_shown(prediction) for prediction in pair] for pair in pairs])
    return Steadiness(
        pairs=len(pairs),
        changed=float((earlier.argmax(axis=1) != later.argmax(axis=1)).mean()),
        shown_changed=float((shown[:, 0] != shown[:, 1]).mean()),
        distance=float(_total_variation(earlier, later).mean()),
    )


def _shown(prediction: Prediction) -> int:
    return NUM_EMOTIONS if prediction.unsure else int(prediction.probabilities.argmax())


def _moved(box: Box, move: Move, side: float) -> Box:
    x, y = box.center
    w, h = box.w * move.scale, box.h * move.scale
    return Box(x + move.right * side - w / 2, y + move.down * side - h / 2, w, h)


def _total_variation(
    first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return np.asarray(np.abs(first - second).sum(axis=-1) / 2)
