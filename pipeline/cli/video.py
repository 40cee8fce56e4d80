"""`video`: the expressions in a video file over time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import (
    DetectorName,
    ServedModel,
    console,
    load_classifier,
    notes,
    progress_bar,
)
from pipeline.files import write_json, write_text
from pipeline.labels import EMOTIONS
from pipeline.recognition.detectors import DETECTORS, make_detector
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video.analysis import TrackSummary, VideoAnalysis, clock
from pipeline.recognition.video.process import process
from pipeline.recognition.video.results import save_thumbnails, to_csv, to_dict


def video(
    file: Annotated[Path, typer.Argument(help="A video file.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, help="Where the results go.")
    ],
    interval_ms: Annotated[
        int,
        typer.Option(min=0, max=60_000, help="Time between two samples; 0 takes every frame."),
    ] = 500,
    annotated: Annotated[
        bool, typer.Option(help="Write a copy of the video with the faces marked, as MP4.")
    ] = True,
    detector: DetectorName = DETECTORS[0],
    model: ServedModel = None,
) -> None:
    """Recognizes the expressions in a video: CSV, JSON, key moments and a marked copy."""
    recognizer = Recognizer(load_classifier(model), make_detector(detector))
    copy = out / f"{file.stem}-marked.mp4" if annotated else None
    with progress_bar(f"Reading {file.name}") as progress:
        analysis = process(
            file, recognizer, annotated=copy, interval=interval_ms / 1000, progress=progress
        )
    write_text(out / f"{file.stem}.csv", to_csv(analysis.samples))
    write_json(out / f"{file.stem}.json", to_dict(analysis))
    save_thumbnails(analysis.moments, out / f"{file.stem}-moments")
    _print(analysis, out)


def _print(analysis: VideoAnalysis, out: Path) -> None:
    table = Table("Person", "First seen", "Last seen", "In view", "Expressions")
    for track in analysis.tracks:
        table.add_row(
            str(track.track),
            clock(track.first_seen),
            clock(track.last_seen),
            f"{track.seconds:.1f} s",
            _shares(track),
        )
    console().print(table if analysis.tracks else "no face found", style=None)
    for note in analysis.notes:
        notes().print(f"[yellow]{escape(note)}[/yellow]")
    console().print(f"{len(analysis.samples)} samples; results in {escape(str(out))}")


def _shares(track: TrackSummary) -> str:
    titles = [*(emotion.title for emotion in EMOTIONS), "Unsure"]
    shares = zip([*track.shares, track.unsure], titles, strict=True)
    return ", ".join(
        f"{title} {share:.0%}" for share, title in sorted(shares, reverse=True) if share
    )
