"""`estimate`: what a training will cost on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import loading_keras, notes, pick_dataset, print_json
from pipeline.training.estimate import measure, read_settings
from pipeline.training.preflight import check_settings


def estimate(
    dataset: Annotated[
        str | None, typer.Option(help="Name of an imported dataset; default: the only one.")
    ] = None,
    settings: Annotated[
        str, typer.Option(help='Settings as JSON, such as `{"architecture": "vgg"}`.')
    ] = "{}",
) -> None:
    """Builds a network, times three training batches and prints the costs as JSON."""
    config = read_settings(settings)
    chosen = pick_dataset(dataset)
    check_settings(config, chosen)
    with loading_keras():
        import keras
    notes().print(f"Measuring {config.architecture} on {keras.backend.backend()} …")
    print_json(measure(config, chosen).to_dict())
