"""How fast live video is: frames a second, delay, drops."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

RATE_SECONDS = 3.0
"""Of the past that the rate is taken over."""

DELAY_SECONDS = 10.0
"""Of the past that the delay is taken over."""

# Twice as many as 60 frames a second leave in that time.
_MOST = 1200


@dataclass(frozen=True)
class Reading:
    """The figures at one moment.

    Attributes:
        received: Frames that came, ever.
        analysed: Frames that were looked at, ever.
        dropped: Frames that were passed over for a newer one, ever.
        rate: Frames looked at a second, lately.
        delay: The median of the seconds from a frame's arrival to the departure
            of the picture that shows its result, lately; `None` if there was none.
        delay_p95: Its 95th percentile.
    """

    received: int = 0
    analysed: int = 0
    dropped: int = 0
    rate: float = 0.0
    delay: float | None = None
    delay_p95: float | None = None


class Meter:
    """Counts frames; for one thread at a time. All times are in seconds of one clock."""

    def __init__(self) -> None:
        self._received = self._analysed = self._dropped = 0
        self._first: float | None = None
        self._finished: deque[float] = deque(maxlen=_MOST)
        self._delays: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def received(self, number: int, time: float) -> None:
        """Notes frames that came."""
        self._received += number
        if self._first is None:
            self._first = time

    def dropped(self, number: int) -> None:
        """Notes frames that were passed over."""
        self._dropped += number

    def analysed(self, time: float) -> None:
        """Notes a frame that was looked at."""
        self._analysed += 1
        self._finished.append(time)

    def shown(self, arrived: float, left: float) -> None:
        """Notes a result that left for the browser.

        Args:
            arrived: When its frame came.
            left: When the first picture that shows it left.
        """
        self._delays.append((left, left - arrived))

    def read(self, now: float) -> Reading:
        """The figures as they are now."""
        delays = [delay for left, delay in self._delays if left > now - DELAY_SECONDS]
        median, p95 = np.percentile(delays, [50, 95]).tolist() if delays else (None, None)
        return Reading(self._received, self._analysed, self._dropped, self._rate(now), median, p95)

    def _rate(self, now: float) -> float:
        if self._first is None or now <= self._first:
            return 0.0
        # In the first seconds there is less past than the window is long.
        span = min(RATE_SECONDS, now - self._first)
        return sum(finished > now - span for finished in self._finished) / span
