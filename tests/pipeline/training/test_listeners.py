from typing import Any

import pytest

from pipeline.training.listeners import PrintingListener, epoch_line

ENTRY: dict[str, Any] = {
    "epoch": 3,
    "loss": 1.5,
    "accuracy": 0.25,
    "val_loss": 1.25,
    "val_accuracy": 0.5,
    "val_macro_f1": 0.4,
    "images_per_second": 1234.5,
    "is_best": True,
}


def test_a_line_tells_the_figures_and_whether_the_weights_are_kept() -> None:
    assert epoch_line(ENTRY) == (
        "epoch   3  loss 1.5000  accuracy 0.2500  val_loss 1.2500  val_accuracy 0.5000  "
        "val_macro_f1 0.4000  1234 images/s  best"
    )
    assert "best" not in epoch_line({**ENTRY, "is_best": False})


def test_epochs_and_notes_are_printed_and_batches_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listener = PrintingListener()
    listener.on_batch({"step": 1})
    listener.on_epoch(ENTRY)
    listener.on_note("The weights could not be had.")
    assert capsys.readouterr().out.splitlines() == [
        epoch_line(ENTRY),
        "The weights could not be had.",
    ]
