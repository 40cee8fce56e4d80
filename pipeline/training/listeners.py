"""Listeners of a training that need no screen of their own."""

from __future__ import annotations

from typing import Any


def epoch_line(entry: dict[str, Any]) -> str:
    """A finished epoch in one line, as `Listener.on_epoch` is told of it."""
    return (
        f"epoch {entry['epoch']:3d}  loss {entry['loss']:.4f}  "
        f"accuracy {entry['accuracy']:.4f}  val_loss {entry['val_loss']:.4f}  "
        f"val_accuracy {entry['val_accuracy']:.4f}  val_macro_f1 {entry['val_macro_f1']:.4f}  "
        f"{entry['images_per_second']:.0f} images/s" + ("  best" if entry["is_best"] else "")
    )


class PrintingListener:
    """Prints a line for each finished epoch: for notebooks and scripts."""

    def on_batch(self, progress: dict[str, Any]) -> None:
        """Says nothing: a line for each batch is noise where lines stay."""

    def on_epoch(self, entry: dict[str, Any]) -> None:
        """Prints the epoch's figures."""
        print(epoch_line(entry))

    def on_note(self, text: str) -> None:
        """Prints the sentence."""
        print(text)
