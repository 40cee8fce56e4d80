"""`export`: a model in the formats that others run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.common import ModelName, console, loading_keras, notes
from pipeline.export import export_model
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog


def export(
    model: ModelName,
    format: Annotated[
        Literal["keras", "h5", "savedmodel", "onnx", "litert"],
        typer.Option("--format", help="What to write."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="The file to write (.keras, .h5, .onnx, .tflite), or SavedModel's folder."
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Writes a model in another format, and loads it back to compare its scores."""
    # Only TensorFlow converts; Keras reads this when it is first imported, below.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    entry = ModelCatalog(Home.from_environment()).resolve(model)
    with loading_keras():
        import tensorflow  # noqa: F401
    with notes().status(f"Writing {format}"):
        export_model(entry.folder, format, out, overwrite=force)
    console().print(f"{entry.name} as {format}: {out}", markup=False)
