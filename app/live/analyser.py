"""A thread that looks at one frame at a time, always the newest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.recognition.stream import TrackedPrediction

_logger = logging.getLogger(__name__)

# A stream that ended without a word must not leave its thread behind.
_IDLE_SECONDS = 5.0

Faces = tuple[TrackedPrediction, ...]


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture from the camera.

    Attributes:
        number: Counts up.
        arrived: When it came, in seconds of the monotonic clock.
        image: `uint8` RGB, shape `(height, width, 3)`.
    """

    number: int
    arrived: float
    image: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What was found in a frame.

    Attributes:
        number: The frame's.
        arrived: The frame's.
        faces: Who was found.
    """

    number: int
    arrived: float
    faces: Faces


class Analyser:
    """Looks at frames in a thread of its own.

    A frame that comes while another is looked at waits; if a newer one comes
    before its turn, it is dropped.

    Args:
        analyse: Looks at one frame; called in the thread.
    """

    def __init__(self, analyse: Callable[[Frame], Faces]) -> None:
        self._analyse = analyse
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waiting: Frame | None = None
        self._latest: Analysis | None = None
        self._error: Exception | None = None
        self._closed = False

    @property
    def error(self) -> Exception | None:
        """Why the last frame could not be looked at; `None` if it could."""
        with self._changed:
            return self._error

    def submit(self, frame: Frame) -> bool:
        """Hands over the newest frame.

        Returns:
            Whether an older one that still waited was dropped for it.
        """
        with self._changed:
            dropped = self._waiting is not None
            if not self._closed:
                self._waiting = frame
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="live-analyser", daemon=True
                    )
                    self._thread.start()
            self._changed.notify_all()
            return dropped

    def result(self, number: int, patience: float) -> Analysis | None:
        """What is known by now.

        Args:
            number: Of the frame whose own result is wanted.
            patience: How many seconds to wait for it.

        Returns:
            Its result if it came in time, else the newest there is; `None`
            while there is none at all.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._latest is not None and self._latest.number >= number, patience
            )
            return self._latest

    def close(self) -> None:
        """Ends the thread after the frame in hand; nothing is taken from now on."""
        with self._changed:
            self._closed = True
            self._waiting = None
            self._changed.notify_all()

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            try:
                faces, error = self._analyse(frame), None
            except Exception as failure:
                if self.error is None:  # once, not thirty times a second
                    _logger.exception("a frame of live video could not be looked at")
                faces, error = (), failure
            with self._changed:
                self._error = error
                self._latest = Analysis(frame.number, frame.arrived, faces)
                self._changed.notify_all()

    def _next(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closed, _IDLE_SECONDS)
            frame, self._waiting = self._waiting, None
            if frame is None:
                self._thread = None
            return frame
