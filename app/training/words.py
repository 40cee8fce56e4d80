"""The phases of a run in words, told apart by a sign too, not by the word or a colour alone."""

from __future__ import annotations

from app.training.launch import Phase

WORDS = {
    Phase.WAITING: ("Not started", "hourglass_empty", "gray"),
    Phase.IN_LINE: ("Queued", "schedule", "violet"),
    Phase.STARTING: ("Starting", "hourglass_top", "blue"),
    Phase.STILLBORN: ("Failed to start", "error", "red"),
    Phase.RUNNING: ("Running", "play_arrow", "blue"),
    Phase.STOPPING: ("Stopping", "hourglass_bottom", "orange"),
    Phase.FINISHED: ("Finished", "check", "green"),
    Phase.STOPPED: ("Stopped", "stop", "orange"),
    Phase.FAILED: ("Failed", "error", "red"),
}
"""A phase in words, its symbol and its colour."""

_SIGNS = {
    Phase.WAITING: "○",
    Phase.IN_LINE: "◷",
    Phase.STARTING: "…",
    Phase.STILLBORN: "✕",
    Phase.RUNNING: "►",  # the emoji of this shape would stand apart from its word on a pill
    Phase.STOPPING: "…",
    Phase.FINISHED: "✓",
    Phase.STOPPED: "■",
    Phase.FAILED: "✕",
}


def with_sign(phase: Phase | None) -> str:
    """A phase for a line of a table: `✓ Finished`; `None` is a damaged run."""
    return "✕ Damaged" if phase is None else f"{_SIGNS[phase]} {WORDS[phase][0]}"
