"""A video as plain data: who was seen when, and with which expression."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.dataset import IMAGE_SIZE
from pipeline.errors import ConfigError
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.smoothing import TIME_CONSTANT
from pipeline.recognition.stream import RecognitionStream, TrackedPrediction
from pipeline.recognition.tracker import MAX_GAP
from pipeline.recognition.video.cuts import CutFinder
from pipeline.recognition.video.moments import KeyMoment, MomentFinder
from pipeline.recognition.video.opening import VideoInfo
from pipeline.recognition.video.reading import Frame, VideoReader

INTERVAL = 0.5
"""Seconds between two samples, unless told otherwise."""

LONGEST_INTERVAL = 60.0

# Containers round times to a millisecond: a frame may seem to come just before it is due.
_ROUNDING = 0.001
# A person may be missed in two samples in a row and keep the track: that is three intervals
# from sight to sight, and half of one for frames that come late.
_INTERVALS_UNSEEN = 3.5
# What the network saw is not kept, or an hour of video would take a gigabyte.
_NO_CROP = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame that was looked at.

    Attributes:
        time: In seconds from the beginning of the file, by its own time stamps.
        faces: Who was found, by rising track id. Crops are blank and landmarks
            left out.
    """

    time: float
    faces: tuple[TrackedPrediction, ...]


@dataclass(frozen=True)
class TrackSummary:
    """A person's time in the video.

    A sample stands for the time until the next one; shares go by the smoothed
    scores.

    Attributes:
        track: The person's track.
        first_seen: In seconds.
        last_seen: In seconds.
        seconds: How long in view, without the gaps.
        shares: Share of this time for each emotion, in `labels.EMOTIONS` order.
        unsure: The share in which no emotion was sure enough; all eight sum to 1.
        valence: The mean over this time, in `[-1, 1]`.
    """

    track: int
    first_seen: float
    last_seen: float
    seconds: float
    shares: tuple[float, ...]
    unsure: float
    valence: float


@dataclass(frozen=True, eq=False)
class VideoAnalysis:
    """What came of a video.

    Attributes:
        file: The file's name.
        model: The name of the model that scored it.
        interval: Seconds between two samples; 0 is every frame.
        info: What the file says of itself.
        end: Where the last frame ends, in seconds.
        samples: In order of time; at least one.
        tracks: The persons, by rising id.
        moments: In order of time.
        notes: What was wrong with the file, in sentences.
    """

    file: str
    model: str
    interval: float
    info: VideoInfo
    end: float
    samples: tuple[Sample, ...]
    tracks: tuple[TrackSummary, ...]
    moments: tuple[KeyMoment, ...]
    notes: tuple[str, ...]


def analyze(
    path: Path,
    recognizer: Recognizer,
    *,
    interval: float = INTERVAL,
    time_constant: float = TIME_CONSTANT,
    progress: Progress = no_progress,
) -> VideoAnalysis:
    """Follows the faces of a video file.

    The first and the last frame are always among the samples. At a cut everyone
    counts as new.

    Args:
        path: The file, in any format that FFmpeg reads.
        recognizer: Scores each sample.
        interval: Seconds between two samples; 0 takes every frame.
        time_constant: Of the smoothing, in seconds; see `ScoreSmoother`.
        progress: Told seconds of the video; asks to stop by raising.

    Returns:
        The results up to where the file can be read; `notes` says so if that is
        not its end.

    Raises:
        VideoFormatError: If not one frame can be read.
        ConfigError: If the interval or the time constant is out of range.
    """
    if not 0 <= interval <= LONGEST_INTERVAL:
        raise ConfigError(
            f"the interval must be 0 to {1000 * LONGEST_INTERVAL:.0f} ms, got "
            f"{1000 * interval:.0f} ms"
        )
    max_gap = max(MAX_GAP, _INTERVALS_UNSEEN * interval)
    stream = RecognitionStream(recognizer, time_constant=time_constant, max_gap=max_gap)
    finder, cuts = MomentFinder(max_gap), CutFinder()
    samples = []
    with VideoReader(path) as reader:
        total = reader.info.duration
        for frame in _sampled(cuts.watch(reader.frames()), interval):
            progress(min(frame.time, total or math.inf), total, clock(frame.time))
            if cuts.passed():
                stream.forget()
            image = frame.image()
            faces = stream.update(image, frame.time)
            finder.update(image, faces, frame.time)
            samples.append(Sample(frame.time, tuple(_lean(face) for face in faces)))
    return VideoAnalysis(
        file=path.name,
        model=recognizer.classifier.contract.name,
        interval=interval,
        info=reader.info,
        end=reader.end,
        samples=tuple(samples),
        tracks=summarize(samples, reader.end),
        moments=finder.finish(),
        notes=reader.notes(),
    )


def summarize(samples: Sequence[Sample], end: float) -> tuple[TrackSummary, ...]:
    """Sums up each person's time.

    Args:
        samples: In order of time.
        end: Where the last one's frame ends, in seconds.
    """
    times = [sample.time for sample in samples]
    lasts = np.diff([*times, end])
    seen: dict[int, list[int]] = {}
    for index, sample in enumerate(samples):
        for face in sample.faces:
            seen.setdefault(face.track, []).append(index)
    return tuple(
        _summary(
            track,
            [times[index] for index in indices],
            lasts[indices],
            [_of_track(samples[index], track) for index in indices],
        )
        for track, indices in sorted(seen.items())
    )


def clock(seconds: float) -> str:
    """A time in a video as players show it: `1:05`, `1:00:07`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _summary(
    track: int,
    times: Sequence[float],
    lasts: np.ndarray,
    said: Sequence[Prediction],
) -> TrackSummary:
    labels = [
        NUM_EMOTIONS if prediction.unsure else int(prediction.probabilities.argmax())
        for prediction in said
    ]
    seconds = float(lasts.sum())
    *shares, unsure = (np.bincount(labels, lasts, NUM_EMOTIONS + 1) / seconds).tolist()
    valences = [prediction.valence for prediction in said]
    return TrackSummary(
        track=track,
        first_seen=times[0],
        last_seen=times[-1],
        seconds=seconds,
        shares=tuple(shares),
        unsure=unsure,
        valence=float(np.average(valences, weights=lasts)),
    )


def _of_track(sample: Sample, track: int) -> Prediction:
    return next(face.smoothed for face in sample.faces if face.track == track)


def _sampled(frames: Iterator[Frame], interval: float) -> Iterator[Frame]:
    """The first frame of each interval, and the last of all."""
    due = -math.inf
    waiting = None
    for frame in frames:
        time = frame.time + _ROUNDING
        if time < due:
            waiting = frame
            continue
        if interval:
            due = interval * (math.floor(time / interval) + 1)
        waiting = None
        yield frame
    if waiting is not None:
        yield waiting


def _lean(face: TrackedPrediction) -> TrackedPrediction:
    return replace(
        face,
        raw=replace(face.raw, crop=_NO_CROP, landmarks=None),
        smoothed=replace(face.smoothed, crop=_NO_CROP, landmarks=None),
    )
