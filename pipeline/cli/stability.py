"""`stability`: how steady a model's answers are in videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import (
    DetectorName,
    JsonFlag,
    ModelName,
    console,
    print_json,
    progress_bar,
)
from pipeline.evaluation.stability import JITTERS, ClipStability, Steadiness, clip_stability
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import DETECTORS, make_detector
from pipeline.recognition.recognizer import Recognizer


def stability(
    model: ModelName,
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Video files.")],
    detector: DetectorName = DETECTORS[0],
    as_json: JsonFlag = False,
) -> None:
    """Tells how steady a model is in videos: from frame to frame, and as crops move a little."""
    entry = ModelCatalog(Home.from_environment()).resolve(model)
    recognizer = Recognizer(EmotionClassifier.load(entry.folder), make_detector(detector))
    found = []
    for video in videos:
        with progress_bar(f"Reading {video.name}") as progress:
            found.append(clip_stability(video, recognizer, progress=progress))
    if as_json:
        print_json([clip.to_dict() for clip in found])
        return
    console().print(_over_time(entry.name, found))
    console().print(_crops(found))


def _over_time(name: str, clips: Sequence[ClipStability]) -> Table:
    table = Table(
        title=f"Changes of {name} from frame to frame",
        caption="Pairs are of one face in two frames in a row. Shown: unsure counts as an answer. "
        "Distance: total variation of the probabilities.",
    )
    for heading in ("video", "frames", "faces", "pairs", "scores", "label", "shown", "distance"):
        table.add_column(heading, justify="left" if heading in ("video", "scores") else "right")
    for clip in clips:
        facts = (escape(clip.file), f"{clip.num_frames:,}", f"{clip.num_tracks:,}")
        table.add_row(*facts, f"{clip.raw.pairs:,}", "raw", *_shares(clip.raw))
        table.add_row("", "", "", "", "smoothed", *_shares(clip.smoothed))
    return table


def _crops(clips: Sequence[ClipStability]) -> Table:
    table = Table(title="Labels that change when the crop moves, by share of its side")
    table.add_column("video")
    for heading in ("faces", *(jitter.title for jitter in JITTERS.values())):
        table.add_column(heading, justify="right")
    for clip in clips:
        scores = clip.crops.jitters.values()
        shares = [f"{score.changed:.1%}" for score in scores] or ["–"] * len(JITTERS)
        table.add_row(escape(clip.file), f"{clip.crops.num_faces:,}", *shares)
    return table


def _shares(found: Steadiness) -> tuple[str, ...]:
    shares = (found.changed, found.shown_changed, found.distance)
    return tuple("–" if share is None else f"{share:.1%}" for share in shares)
