"""The whole way of a video file: analysis, then the marked copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.errors import VideoFormatError
from pipeline.progress import Progress, no_progress
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.smoothing import TIME_CONSTANT
from pipeline.recognition.video.analysis import INTERVAL, VideoAnalysis, analyze
from pipeline.recognition.video.writing import write_annotated

# What the steps cost beside decoding a frame, measured with bench/video.py at 720p: with it the
# time left is right from the beginning, at any interval.
_SAMPLE_COST = 80.0
_WRITING_COST = 11.0
_USUAL_RATE = 25.0


def process(
    path: Path,
    recognizer: Recognizer,
    *,
    annotated: Path | None = None,
    interval: float = INTERVAL,
    time_constant: float = TIME_CONSTANT,
    progress: Progress = no_progress,
) -> VideoAnalysis:
    """Analyses a video and writes its marked copy.

    Args:
        path: The file.
        recognizer: As for `analyze`.
        annotated: Where the marked copy goes; `None` writes none.
        interval: As for `analyze`.
        time_constant: As for `analyze`.
        progress: Told the share that is done, of 100.

    Returns:
        The analysis; if only the copy failed, its `notes` say why.

    Raises:
        VideoFormatError: If not one frame can be read.
        ConfigError: As `analyze` does.
    """
    share = 1.0 if annotated is None else _share_of_analysis(interval)
    analysis = analyze(
        path,
        recognizer,
        interval=interval,
        time_constant=time_constant,
        progress=_part(progress, 0.0, share, "looking for faces"),
    )
    if annotated is None:
        return analysis
    marking = _part(progress, share, 1.0, "writing the marked copy")
    try:
        write_annotated(path, analysis, annotated, progress=marking)
    except VideoFormatError as error:
        text = str(error)
        return replace(analysis, notes=(*analysis.notes, f"{text[0].upper()}{text[1:]}."))
    return analysis


def _share_of_analysis(interval: float) -> float:
    samples = _USUAL_RATE if not interval else min(1 / interval, _USUAL_RATE)
    analysis = _USUAL_RATE + samples * _SAMPLE_COST
    writing = _USUAL_RATE * (1 + _WRITING_COST)
    return analysis / (analysis + writing)


def _part(progress: Progress, start: float, end: float, doing: str) -> Progress:
    """Reports of one step, turned into reports of the whole."""

    def report(done: float, total: float | None, text: str = "") -> None:
        words = f"{doing}, {text}" if text else doing
        if not total:
            progress(100 * start, None, words)
        else:
            progress(100 * (start + (end - start) * done / total), 100, words)

    return report
