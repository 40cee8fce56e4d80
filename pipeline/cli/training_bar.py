"""One bar for a training: its epochs, and the work before and after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pipeline.cli.common import notes
from pipeline.training.listeners import epoch_line


@contextmanager
def training_bar() -> Iterator[TrainingBar]:
    """A bar on standard error for as long as the block lasts."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
    )
    screen = notes()
    # In a log file the bar is noise; the lines of finished epochs are not.
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as bar:
        yield TrainingBar(bar, bar.add_task("starting", total=None, figures=""))


class TrainingBar:
    """A `Listener` that draws the epoch under way and prints a line for each finished."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def on_batch(self, progress: dict[str, Any]) -> None:
        """Draws how far the epoch is."""
        minutes, seconds = divmod(round(progress["eta_seconds"]), 60)
        self._bar.update(
            self._task,
            completed=progress["step"],
            total=progress["steps"],
            description=f"epoch {progress['epoch']}/{progress['epochs']}",
            figures=f"loss {progress['loss']:.3f}  accuracy {progress['accuracy']:.3f}  "
            f"{progress['images_per_second']:.0f} images/s  at most {minutes}:{seconds:02d} to go",
        )

    def on_epoch(self, entry: dict[str, Any]) -> None:
        """Prints the epoch's figures above the bar."""
        self._bar.console.print(epoch_line(entry), soft_wrap=True)

    def on_note(self, text: str) -> None:
        """Prints a sentence above the bar."""
        self._bar.console.print(text, style="yellow", markup=False)

    def on_other_work(self, done: float, total: float | None, text: str = "") -> None:
        """Draws how far other work is, as a `pipeline.progress.Progress`."""
        self._bar.update(
            self._task,
            completed=done,
            total=total,
            description=text or "packaging",
            figures=f"{done / total:.0%}" if total else "",
        )
