"""The results of a video as CSV, as JSON and as pictures of its key moments."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.labels import NAMES
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample, TrackSummary, VideoAnalysis
from pipeline.recognition.video.moments import KeyMoment

RAW_COLUMNS = tuple(f"raw_{name}" for name in NAMES)
COLUMNS = (
    *("time_ms", "track", "x", "y", "w", "h", "emotion", "confidence", "unsure"),
    *("valence", "arousal", *NAMES, *RAW_COLUMNS, "quality"),
)
"""Of the CSV. Label, confidence, valence and the seven scores are the smoothed ones."""

_DIGITS = 4


def to_csv(samples: Iterable[Sample]) -> str:
    """One row for each face of each sample, under the names of `COLUMNS`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for sample in samples:
        for found in sample.faces:
            face = _face(found)
            scores, raw = face.pop("scores"), face.pop("raw_scores")
            quality = " ".join(face.pop("quality"))
            raw_scores = dict(zip(RAW_COLUMNS, raw.values(), strict=True))
            time = {"time_ms": _ms(sample.time)}
            writer.writerow({**time, **face, **scores, **raw_scores, "quality": quality})
    return text.getvalue()


def to_dict(analysis: VideoAnalysis) -> dict[str, Any]:
    """Everything but the pictures, in the form of the JSON file."""
    return {
        "file": analysis.file,
        "model": analysis.model,
        "interval_ms": _ms(analysis.interval),
        "video": {**asdict(analysis.info), "end_ms": _ms(analysis.end)},
        "notes": list(analysis.notes),
        "tracks": [_track(track) for track in analysis.tracks],
        "moments": [moment.to_dict() for moment in analysis.moments],
        "samples": [
            {"time_ms": _ms(sample.time), "faces": [_face(face) for face in sample.faces]}
            for sample in analysis.samples
        ],
    }


def save_thumbnails(moments: Sequence[KeyMoment], folder: Path) -> None:
    """Writes the key moments' pictures as `0000012500ms-track-1-happy.jpg`.

    Those of an earlier analysis in the folder are removed; other files stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("[0-9]*ms-track-*-*.jpg"):
        old.unlink()
    for moment in moments:
        name = f"{_ms(moment.time):010d}ms-track-{moment.track}-{moment.emotion.name}.jpg"
        (folder / name).write_bytes(moment.thumbnail)


def _track(track: TrackSummary) -> dict[str, Any]:
    return {
        "track": track.track,
        "first_seen_ms": _ms(track.first_seen),
        "last_seen_ms": _ms(track.last_seen),
        "seconds": round(track.seconds, 3),
        "shares": _by_name(np.array(track.shares)),
        "unsure": round(track.unsure, _DIGITS),
        "valence": round(track.valence, _DIGITS),
    }


def _face(face: TrackedPrediction) -> dict[str, Any]:
    return {
        **face.to_dict(),
        "raw_scores": _by_name(face.raw.probabilities),
        "valence": round(face.smoothed.valence, _DIGITS),
        "arousal": round(face.smoothed.arousal, _DIGITS),
    }


def _by_name(values: npt.NDArray[np.floating[Any]]) -> dict[str, float]:
    return {name: round(float(value), _DIGITS) for name, value in zip(NAMES, values, strict=True)}


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
