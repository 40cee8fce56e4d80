"""What the server looks after by itself: the line of waiting trainings, and the trash.

A training process that ends starts the next one; one that was killed cannot.
"""

from __future__ import annotations

import logging
import threading
import time

from pipeline.errors import PipelineError
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training.queue import RunQueue

_SECONDS_BETWEEN_LOOKS = 3.0
_SECONDS_BETWEEN_CLEANINGS = 3600.0
_log = logging.getLogger(__name__)


class Keeper:
    """A thread that looks every few seconds, whether or not anybody has the dashboard open."""

    def __init__(self, home: Home, *, every: float = _SECONDS_BETWEEN_LOOKS) -> None:
        self._queue = RunQueue(home)
        self._store = RunStore(home.runs)
        self._every = every
        self._cleaned = -_SECONDS_BETWEEN_CLEANINGS
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="keeper", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def close(self, timeout: float = 5.0) -> None:
        """Ends the looking."""
        self._closed.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        complaint = ""
        while not self._closed.wait(self._every):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - without it, the looking would end unseen
                if str(error) != complaint:  # once, not every few seconds
                    foreseen = isinstance(error, PipelineError | OSError)
                    _log.warning("looking after the runs failed: %s", error, exc_info=not foreseen)
                complaint = str(error)
            else:
                complaint = ""

    def _look(self) -> None:
        self._queue.advance()
        if time.monotonic() - self._cleaned >= _SECONDS_BETWEEN_CLEANINGS:
            self._cleaned = time.monotonic()
            self._store.clean_up()
