"""The clients that send one frame after another: each with its own tracks."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from app.api.errors import ApiError, busy
from pipeline.recognition.stream import RecognitionStream

MOST_SESSIONS = 64
"""Sessions at the same time."""

IDLE_SECONDS = 60.0
"""A session without a frame for this long is forgotten."""

MAX_GAP = 3.0
"""Seconds that a face may stay unseen and keep its id: clients send frames less often than a
camera takes them."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class FrameSession:
    """The frames of one client, in the order they came.

    Attributes:
        lock: Held while a frame is worked on; those who wait get it in order.
        stream: Follows the faces; made with the first frame that can be read.
        last_frame: When a frame last came, in seconds of the monotonic clock.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.stream: RecognitionStream | None = None
        self.last_frame = 0.0


class FrameSessions:
    """The sessions that are open; to be used on one event loop.

    Args:
        most: How many may be open.
        idle: Seconds after which one without a frame is forgotten.
        clock: Gives the time in seconds from any zero, never going back.
    """

    def __init__(
        self,
        most: int = MOST_SESSIONS,
        idle: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._idle = idle
        self._clock = clock
        self._sessions: dict[str, FrameSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def take_frame(self, session_id: str) -> tuple[FrameSession, float]:
        """Finds a session, or opens it, for a frame that has just come.

        Args:
            session_id: Chosen by the client.

        Returns:
            The session, and the time of the frame: never before the last one's.

        Raises:
            ApiError: 400 if the id is malformed, 503 if too many are open.
        """
        if not _ID.fullmatch(session_id):
            raise ApiError(
                400,
                "the session must be 1 to 64 letters, digits, dots, dashes or underscores, such as "
                "a random UUID",
            )
        now = self._clock()
        self._forget_idle(now)
        if session_id not in self._sessions and len(self._sessions) >= self._most:
            raise busy(
                f"{self._most} sessions are open already: use one id for all frames of a video, "
                f"and wait until others have been idle for {self._idle:.0f} seconds",
                retry_after=round(self._idle),
            )
        session = self._sessions.setdefault(session_id, FrameSession())
        session.last_frame = now
        return session, now

    def _forget_idle(self, now: float) -> None:
        self._sessions = {
            key: session
            for key, session in self._sessions.items()
            if now - session.last_frame <= self._idle or session.lock.locked()
        }
