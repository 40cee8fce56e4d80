"""Takes the frames of one video stream, gives them back with the faces marked.

Two threads meet here, neither of which may touch `st`: streamlit-webrtc's, which
brings frames and takes them away, and the analyser's. A third, the page's,
reads results and gives orders. Everything crosses by lock.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
from PIL import Image
from streamlit_webrtc import VideoProcessorBase

from app.live.analyser import Analyser, Analysis, Faces, Frame
from app.live.meter import Meter, Reading
from app.live.timeline import Timeline
from pipeline.recognition.drawing import annotate, caption
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.stream import RecognitionStream

PATIENCE = 0.022
"""Seconds that a frame waits for its own result. streamlit-webrtc sends a picture off when the
next frame comes, 33 ms later at 30 a second, so waiting less than that costs nothing and puts the
box where the face is now. When the result is later than that, the last one is shown instead: the
video goes on smoothly and the box follows."""

MAX_GAP = 3.0
"""Seconds that a face may stay unseen and keep its number: people look away for a moment, and a
slow computer sees few of the frames."""

_BLACK = 12.0
_BLACK_SECONDS = 2.0
_LABEL_SECONDS = 0.4


@dataclass(frozen=True, eq=False)
class Setup:
    """How frames are looked at.

    Attributes:
        recognizer: Finds and scores the faces.
        time_constant: Of the smoothing, in seconds.
    """

    recognizer: Recognizer
    time_constant: float


@dataclass(frozen=True, eq=False)
class Status:
    """A stream at one moment.

    Attributes:
        reading: Its pace.
        faces: Who is in the newest picture.
        seconds: Since the first frame; 0 before.
        silence: Seconds since the last frame, or since the processor was made.
        black: Whether the picture has been black for a while.
        paused: Whether it stands still.
        error: Why frames cannot be looked at; `None` if they can.
    """

    reading: Reading
    faces: Faces
    seconds: float
    silence: float
    black: bool
    paused: bool
    error: Exception | None


class LiveProcessor(VideoProcessorBase):
    """The video processor that streamlit-webrtc calls with the frames of a stream.

    Args:
        setup: How frames are looked at, until `use` changes it.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, setup: Setup, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeline = Timeline()
        self._clock = clock
        self._analyser = Analyser(self._analyse)
        self._lock = threading.Lock()
        self._setup = setup
        self._meter = Meter()
        self._number = 0
        self._began: float | None = None
        self._last_arrival = clock()
        self._light = self._last_arrival
        self._paused = False
        self._analysis: Analysis | None = None
        self._leaving: Analysis | None = None
        self._picture: npt.NDArray[np.uint8] | None = None
        self._labels = _Labels()
        self._follower = _Follower()

    def use(self, setup: Setup) -> None:
        """Looks at frames in another way from the next one on."""
        with self._lock:
            self._setup = setup

    def pause(self, paused: bool) -> None:
        """Makes the picture stand still, or go on; while it does, no frame is looked at."""
        with self._lock:
            self._paused = paused

    async def recv_queued(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Takes the frames that came since the last call, gives one picture for the newest.

        It may wait: streamlit-webrtc calls it in a thread and an event loop of
        its own.
        """
        now = self._clock()
        number, paused = self._take(len(frames), now)
        if paused:
            return [self._still(frames[-1])]
        image = _pixels(frames[-1])
        dropped = self._analyser.submit(Frame(number, now, image))
        with self._lock:
            self._meter.dropped(int(dropped))
            if image[::8, ::8].mean() >= _BLACK:
                self._light = now
        analysis = self._analyser.result(number, PATIENCE)
        picture = image
        if analysis is not None:
            labels = self._labels.update(analysis.faces, now)
            picture = annotate(image, [face.smoothed for face in analysis.faces], labels)
        with self._lock:
            self._picture = picture
            if analysis is not None and analysis is not self._analysis:
                self._analysis = self._leaving = analysis
        return [av.VideoFrame.from_ndarray(picture, format="rgb24")]

    def on_ended(self) -> None:
        """Ends the thread; streamlit-webrtc calls it when the stream is over."""
        self._analyser.close()

    def status(self) -> Status:
        """What the page shows."""
        now = self._clock()
        with self._lock:
            return Status(
                reading=self._meter.read(now),
                faces=() if self._analysis is None else self._analysis.faces,
                seconds=0.0 if self._began is None else self._last_arrival - self._began,
                silence=now - self._last_arrival,
                black=self._last_arrival - self._light > _BLACK_SECONDS,
                paused=self._paused,
                error=self._analyser.error,
            )

    def snapshot(self) -> bytes:
        """The picture that is shown, with its marks, as PNG; empty while there is none."""
        with self._lock:
            picture = self._picture
        if picture is None:
            return b""
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_level=3)
        return file.getvalue()

    def _take(self, count: int, now: float) -> tuple[int, bool]:
        """Counts frames; gives the newest one's number and whether the picture stands still."""
        with self._lock:
            if self._leaving is not None:
                # The arrival of a frame is what sends the picture before it off.
                self._meter.shown(self._leaving.arrived, now)
                self._leaving = None
            if self._began is None:
                self._began = self._light = now
            self._last_arrival = now
            self._number += count
            if self._paused:
                self._light = now
            else:
                self._meter.received(count, now)
                self._meter.dropped(count - 1)
            return self._number, self._paused

    def _still(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The last picture at half its brightness, or the frame if there was none."""
        with self._lock:
            picture = self._picture
        if picture is None:
            picture = _pixels(frame)
        return av.VideoFrame.from_ndarray(picture // np.uint8(2), format="rgb24")

    def _analyse(self, frame: Frame) -> Faces:
        with self._lock:
            setup = self._setup
        faces = self._follower.update(setup, frame)
        with self._lock:
            self._meter.analysed(self._clock())
            began = self._began
        if began is not None:
            self.timeline.add(frame.arrived - began, faces)
        return faces


class _Follower:
    """Follows faces through a change of settings; for the analyser's thread alone."""

    def __init__(self) -> None:
        self._stream: RecognitionStream | None = None
        self._setup: Setup | None = None

    def update(self, setup: Setup, frame: Frame) -> Faces:
        if self._stream is None:
            self._stream = RecognitionStream(
                setup.recognizer, time_constant=setup.time_constant, max_gap=MAX_GAP
            )
        elif setup is not self._setup:
            self._stream.change(setup.recognizer, time_constant=setup.time_constant)
        self._setup = setup
        return tuple(self._stream.update(frame.image, frame.arrived))


class _Labels:
    """The labels of the faces, held long enough to be read; for one thread at a time."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[float, tuple[str, bool], str]] = {}

    def update(self, faces: Faces, now: float) -> list[str]:
        """The labels; with their track where there are several."""
        held = {}
        for face in faces:
            said = face.smoothed.emotion.name, face.smoothed.unsure
            label = self._held.get(face.track)
            # What is said changes at once; only the figure beside it waits.
            if label is None or label[1] != said or now - label[0] >= _LABEL_SECONDS:
                label = now, said, caption(face.smoothed)
            held[face.track] = label
        self._held = held
        texts = [held[face.track][2] for face in faces]
        if len(texts) < 2:
            return texts
        return [f"{face.track} · {text}" for face, text in zip(faces, texts, strict=True)]


def _pixels(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
