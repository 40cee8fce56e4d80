"""A run's model made ready to ship with the program, in `models/`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np

from pipeline.dataset import DatasetStore
from pipeline.errors import RunStateError
from pipeline.evaluation import EvaluationReport
from pipeline.files import replaced_file
from pipeline.home import Home
from pipeline.progress import Progress, no_progress
from pipeline.recognition.contract import MODEL_KERAS
from pipeline.runs import Run
from pipeline.training.distillation import teacher_contract
from pipeline.training.packaging import package_model
from pipeline.training.session import recipe
from pipeline.training.warm_start import earlier_stages


def ship(
    run: Run, datasets: DatasetStore, folder: Path, *, progress: Progress = no_progress
) -> dict[str, EvaluationReport]:
    """Packages a run's model anew, under another name and in fewer bytes.

    Weights are rounded to half precision, in which their files compress to about
    half. Rounded weights are other weights: the model is calibrated and scored
    anew, and what is reported is what ships.

    Args:
        run: A finished run.
        datasets: Where its dataset is.
        folder: The new model's folder, whose name is the model's.
        progress: Told the share that is done.

    Returns:
        Reports by split.

    Raises:
        RunStateError: If the run has no model, the data is not that of its training,
            or a weight is too large for half precision.
        ExportError: If the network cannot be converted.
    """
    if not run.has_model:
        raise RunStateError(f"run {run.id!r} has no model to ship: it is {run.state.status.value}")
    config, dataset = recipe(run, datasets)
    home = Home(datasets.root.parent)
    model = keras.saving.load_model(run.folder / MODEL_KERAS, compile=False)
    model.set_weights([_rounded(weight) for weight in model.get_weights()])
    reports = package_model(
        model,
        folder,
        name=folder.name,
        config=config,
        dataset=dataset,
        earlier=earlier_stages(config, home),
        teacher=teacher_contract(config, home),
        progress=progress,
    )
    _compress(folder / MODEL_KERAS)
    return reports


def _rounded(weight: np.ndarray) -> np.ndarray:
    if np.abs(weight).max(initial=0) > np.finfo(np.float16).max:
        raise RunStateError(
            f"a weight of {np.abs(weight).max():g} is too large for half precision: export the "
            "run's model as it is"
        )
    return weight.astype(np.float16).astype(np.float32)


def _compress(path: Path) -> None:
    """Packs a Keras file, which is a zip archive that Keras leaves unpacked."""
    with (
        replaced_file(path) as file,
        zipfile.ZipFile(path) as loose,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed,
    ):
        for name in loose.namelist():
            packed.writestr(name, loose.read(name))
