"""How long work tells its caller how far it is, and is told to stop."""

from __future__ import annotations

from typing import Protocol

from pipeline.errors import PipelineError


class Progress(Protocol):
    """Called by long work now and then, from the thread that does the work.

    It may raise `Cancelled`: the work then cleans up after itself, leaves
    nothing half done and lets the exception pass.
    """

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        """Takes `done` of `total` units (`None`: unknown) and what is being done."""
        ...


class Cancelled(PipelineError):  # noqa: N818 - it is a wish, not an error
    """The caller asked long work to stop."""


def no_progress(done: float, total: float | None, text: str = "") -> None:
    """A `Progress` for callers who do not want to know."""


def part_of(progress: Progress, first: float, last: float) -> Progress:
    """The progress of a part of some work, as a share of the whole.

    Args:
        progress: That of the whole; told shares of 1.
        first: The share that is done when the part begins.
        last: The share that is done when it ends.
    """

    def tell(done: float, total: float | None, text: str = "") -> None:
        progress(first + (last - first) * done / (total or 1), 1.0, text)

    return tell
