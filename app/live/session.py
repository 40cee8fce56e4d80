"""What one browser tab knows of its live video."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from app.live.consent import Purpose
from app.live.detection import LIVE_SIDE, ShrinkingDetector
from app.live.processor import LiveProcessor, Setup
from app.recognition import RecognitionSettings
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import FaceDetector
from pipeline.recognition.recognizer import Recognizer


class LiveSession:
    """The video of a tab: what it was started for, and its stream, running or over.

    Args:
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.purpose: Purpose | None = None
        self.processor: LiveProcessor | None = None
        self._clock = clock
        self._asked: float | None = None
        self._setup: Setup | None = None
        self._chosen: tuple[EmotionClassifier, FaceDetector, RecognitionSettings] | None = None

    @property
    def waiting(self) -> float:
        """Seconds since the browser asked for a connection; 0 if it did not."""
        return 0.0 if self._asked is None else self._clock() - self._asked

    def changed(self, active: bool) -> None:
        """Notes that the browser asked for a stream, or that it is over."""
        if not active:
            self._asked = None
        elif self._asked is None:
            self._asked = self._clock()

    def use(self, recognizer: Recognizer, settings: RecognitionSettings) -> None:
        """Looks at faces in this way from now on, in a running stream too.

        Args:
            recognizer: As `resources.recognizer` gives it for the settings.
            settings: What the user chose.
        """
        chosen = (recognizer.classifier, recognizer.detector, settings)
        if chosen == self._chosen:
            return
        detector = recognizer.detector
        if settings.detector == "yunet":  # the others see one small size only, or the whole
            detector = ShrinkingDetector(detector, LIVE_SIDE)
        live = Recognizer(recognizer.classifier, detector, unsure_below=settings.unsure_below)
        self._chosen = chosen
        self._setup = Setup(live, settings.smoothing)
        if self.processor is not None:
            self.processor.use(self._setup)

    def start(self) -> LiveProcessor:
        """Makes the processor of a new stream; called by streamlit-webrtc, in its thread.

        The one before, with its timeline, is forgotten.
        """
        if self._setup is None:
            raise RuntimeError("a stream must not start before `use` was called")
        self.processor = LiveProcessor(self._setup, self._clock)
        return self.processor

    def forget(self) -> None:
        """Lets go of the stream that is over."""
        self.processor = None


def live_session() -> LiveSession:
    """The live video of the tab that asks; it lives until the tab is closed."""
    session: LiveSession = st.session_state.setdefault("live", LiveSession())
    return session
