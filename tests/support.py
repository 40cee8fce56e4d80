"""What tests of several packages share."""

from collections.abc import Callable
from typing import Any


class Ear:
    """A `Listener` that remembers."""

    def __init__(self, at_batch: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.batches: list[dict[str, Any]] = []
        self.epochs: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._at_batch = at_batch

    def on_batch(self, progress: dict[str, Any]) -> None:
        self.batches.append(progress)
        if self._at_batch:
            self._at_batch(progress)

    def on_epoch(self, entry: dict[str, Any]) -> None:
        self.epochs.append(entry)

    def on_note(self, text: str) -> None:
        self.notes.append(text)
