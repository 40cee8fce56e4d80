"""Learning from another model's answers as well as from the labels.

Knowledge distillation (Hinton, Vinyals and Dean 2015, arXiv:1503.02531) with the
teacher's answers on the unaugmented images, computed once: a teacher then costs
seconds, not a second network in every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import ConfigError, ModelLoadError
from pipeline.evaluation import PredictionStore
from pipeline.files import read_arrays, write_arrays
from pipeline.home import Home
from pipeline.progress import Progress, no_progress
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import ModelContract
from pipeline.runs import Run
from pipeline.training.config import TrainingConfig

Float = npt.NDArray[np.float32]

_FILE = "teacher.npz"


def teacher_scores(
    run: Run, teacher: str, home: Home, dataset: Dataset, *, progress: Progress = no_progress
) -> Float:
    """The teacher's answers on the train split, the mean of each face and its mirror image.

    They are kept in the run's folder: a resumed training learns from the same
    answers, whatever became of the teacher.

    Args:
        run: The run that learns.
        teacher: The teacher, as `ModelCatalog.resolve` takes it.
        home: Where the teacher is looked for.
        dataset: What the run learns on.
        progress: Told the images done.

    Returns:
        Calibrated probabilities, shape `(n, 7)`, in the order of
        `dataset.indices(Split.TRAIN)`.

    Raises:
        ModelLoadError: If there is no such model, or it is damaged.
        ConfigError: If the kept answers are of other data.
    """
    path = run.folder / _FILE
    number = len(dataset.indices(Split.TRAIN))
    if path.exists():
        kept = read_arrays(path)
        if kept is None:
            raise ConfigError(f"{path} is damaged: delete it, and the teacher is asked anew")
        scores: Float = kept["scores"]
    else:
        folder = ModelCatalog(home).resolve(teacher).folder
        store = PredictionStore(home.cache)
        scores = store.get(
            folder, dataset, Split.TRAIN, tta="flip", progress=progress
        ).probabilities
        write_arrays(path, {"scores": scores})
    if len(scores) != number:
        raise ConfigError(
            f"{path} holds the teacher's answers on {len(scores)} images, but the dataset has "
            f"{number} to learn from: start a new run"
        )
    return scores


def teacher_contract(config: TrainingConfig, home: Home) -> ModelContract | None:
    """What the teacher is; `None` without one, or if it is gone since it was asked.

    Args:
        config: The training.
        home: Where the teacher is looked for.
    """
    if not config.teacher:
        return None
    try:
        return ModelContract.load(ModelCatalog(home).resolve(config.teacher).folder)
    except ModelLoadError:
        return None
