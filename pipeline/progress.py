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
