"""The video page's work and what came of it: no Streamlit in here.

A video's results belong to the server, like the job that makes them: they
survive a page change and a closed browser. The uploaded file is deleted as soon
as it has been read; the marked copy goes with the result, at the latest when
the server stops.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app import work_folders
from app.jobs import Work
from app.recognition import RecognitionSettings
from pipeline.home import Home
from pipeline.progress import Progress
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video.analysis import VideoAnalysis
from pipeline.recognition.video.process import process

KIND = "video"
"""The kind of its jobs, one video at a time, and of its folders."""

_COPY = "marked.mp4"

Folder = tempfile.TemporaryDirectory[str]


@dataclass(frozen=True, eq=False)
class VideoResult:
    """A finished video.

    Attributes:
        id: Distinct for each result of a server.
        analysis: What was found.
        folder: Holds the marked copy.
        settings: How its faces were looked for, scored and smoothed.
        token: Part of the address of the marked copy; nobody guesses it.
    """

    id: int
    analysis: VideoAnalysis
    folder: Path
    settings: RecognitionSettings
    token: str = field(default_factory=secrets.token_urlsafe)

    @property
    def copy(self) -> Path | None:
        """The marked copy, H.264 in MP4; `None` if it was not written or is gone."""
        path = self.folder / _COPY
        return path if path.is_file() else None


@dataclass(frozen=True, eq=False)
class TrackSeries:
    """One person's scores over time, as charts need them.

    Attributes:
        times: In seconds, shape `(n,)`.
        raw: Of each sample alone, shape `(n, 7)`.
        smoothed: Averaged over time, shape `(n, 7)`.
        valence: Of the smoothed scores, shape `(n,)`.
        gaps: Indices of samples before which the person was not seen for at
            least one sample.
    """

    times: npt.NDArray[np.float64]
    raw: npt.NDArray[np.float32]
    smoothed: npt.NDArray[np.float32]
    valence: npt.NDArray[np.float64]
    gaps: tuple[int, ...]


class VideoDesk:
    """The latest result of one server, and the folders that videos are worked on in.

    All methods are thread-safe.

    Args:
        home: The folders lie below its data, on a disk that has room.
    """

    def __init__(self, home: Home) -> None:
        self._root = home.data
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._folder: Folder | None = None
        self._result: VideoResult | None = None
        work_folders.remove_left_over(self._root, KIND)

    @property
    def result(self) -> VideoResult | None:
        """What came of the last video, unless it was removed."""
        with self._lock:
            return self._result

    def new_folder(self) -> Folder:
        """A folder to work in, which goes with its object or with the server."""
        self._root.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(
            prefix=work_folders.prefix(KIND), dir=self._root, ignore_cleanup_errors=True
        )

    def keep(self, analysis: VideoAnalysis, folder: Folder, settings: RecognitionSettings) -> None:
        """Takes a result in place of the one before, and its folder with the marked copy."""
        with self._lock:
            before, self._folder = self._folder, folder
            self._result = VideoResult(next(self._ids), analysis, Path(folder.name), settings)
        if before is not None:
            before.cleanup()

    def clear(self) -> None:
        """Forgets the result and deletes its files."""
        with self._lock:
            before, self._folder, self._result = self._folder, None, None
        if before is not None:
            before.cleanup()


def video_work(
    desk: VideoDesk,
    source: Path,
    folder: Folder,
    recognizer: Callable[[], Recognizer],
    settings: RecognitionSettings,
    interval: float,
) -> Work:
    """The work of analysing a video and writing its marked copy.

    Args:
        desk: Takes the result.
        source: The video; deleted at the end if it lies in `folder`.
        folder: For the marked copy; deleted if nothing comes of it.
        recognizer: Gives the recognizer; loading its model may take a second.
        settings: Of the recognizer too; how to smooth.
        interval: Seconds between two samples; 0 is every frame.
    """

    def work(progress: Progress) -> str:
        try:
            analysis = process(
                source,
                recognizer(),
                annotated=Path(folder.name) / _COPY,
                interval=interval,
                time_constant=settings.smoothing,
                progress=progress,
            )
            if source.parent == Path(folder.name):
                source.unlink()
        except BaseException:
            with contextlib.suppress(OSError):
                folder.cleanup()
            raise
        desk.keep(analysis, folder, settings)
        number = len(analysis.tracks)
        people = f"{number} people" if number > 1 else "1 person" if number else "no face found"
        return f"{number_of_samples(analysis)}, {people}. The results are on the video page."

    return work


def number_of_samples(analysis: VideoAnalysis) -> str:
    """How many samples there are, in words."""
    number = len(analysis.samples)
    return "1 sample" if number == 1 else f"{number:,} samples"


def series(analysis: VideoAnalysis, track: int) -> TrackSeries:
    """One person's scores over time."""
    found = [
        (index, sample.time, face)
        for index, sample in enumerate(analysis.samples)
        for face in sample.faces
        if face.track == track
    ]
    indices = np.array([index for index, _, _ in found])
    return TrackSeries(
        times=np.array([time for _, time, _ in found]),
        raw=np.array([face.raw.probabilities for _, _, face in found]),
        smoothed=np.array([face.smoothed.probabilities for _, _, face in found]),
        valence=np.array([face.smoothed.valence for _, _, face in found]),
        gaps=tuple((np.flatnonzero(np.diff(indices) > 1) + 1).tolist()),
    )
