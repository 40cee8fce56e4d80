"""What can be known to be impossible before a run is made and Keras is loaded.

This module does not import Keras.
"""

from __future__ import annotations

from pipeline.dataset import Dataset
from pipeline.errors import RunStateError
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.runs import Run, RunStatus
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig
from pipeline.training.targets import votes_of
from pipeline.training.warm_start import start_weights


def check_settings(config: TrainingConfig, dataset: Dataset) -> None:
    """Refuses settings that do not fit the network or the dataset.

    Raises:
        ConfigError: If a setting has no meaning for the network, or asks for votes
            that the dataset does not have.
        UnknownArchitectureError: If there is no such network.
    """
    architectures.get(config.architecture).check(config)
    if config.soft_labels:
        votes_of(dataset)


def check_training(config: TrainingConfig, dataset: Dataset, home: Home) -> None:
    """Refuses a training that would fail for its settings or the models that it names.

    Args:
        config: How to train.
        dataset: What to train on.
        home: Where its teacher and the model that it starts from are looked for.

    Raises:
        ConfigError: See `check_settings` and `start_weights`.
        UnknownArchitectureError: If there is no such network.
        ModelLoadError: If there is no such model.
    """
    check_settings(config, dataset)
    if config.teacher:
        ModelCatalog(home).resolve(config.teacher)
    if config.start_from:
        start_weights(config, home)


def check_unfinished(run: Run) -> None:
    """Refuses to train a run that has finished.

    Raises:
        RunStateError: If it has.
    """
    if run.state.status is RunStatus.FINISHED:
        raise RunStateError(f"run {run.id!r} has finished; start a new one to train further")
