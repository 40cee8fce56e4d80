"""Starting from the weights of a trained model instead of from random ones.

Training in stages, say first on blended images and then on plain ones, or first
on one dataset and then on another (transfer learning, Yosinski et al. 2014,
arXiv:1411.1792).

Importing this module does not import Keras: what cannot be started from is told
before that is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, ModelLoadError
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import MODEL_KERAS, ModelContract
from pipeline.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras

# What weights fit to; the input's size is not among them where a network pools.
_NETWORK = ("architecture", "width", "attention")


def start_weights(config: TrainingConfig, home: Home) -> Path:
    """The file with the weights to start from.

    Args:
        config: The training; its `start_from` names a model or run, as
            `ModelCatalog.resolve` takes it.
        home: Where it is looked for.

    Returns:
        Its `model.keras`.

    Raises:
        ModelLoadError: If there is no such model, or its contract is damaged.
        ConfigError: If it has no weights to train further, or those of a network
            that the training is not of.
    """
    entry = ModelCatalog(home).resolve(config.start_from)
    path = entry.folder / MODEL_KERAS
    if not path.is_file():
        raise ConfigError(
            f"{config.start_from!r} has no {MODEL_KERAS} to start from: choose a model that was "
            "trained here"
        )
    theirs, ours = entry.contract().training, config.to_dict()
    others = [name for name in _NETWORK if theirs.get(name, ours[name]) != ours[name]]
    if others:
        had = ", ".join(f"{name} {theirs[name]}" for name in others)
        wanted = ", ".join(f"{name} {ours[name]}" for name in others)
        raise ConfigError(
            f"cannot start from {config.start_from!r}: its network has {had}, the one to train "
            f"{wanted}; train one with {had}, or choose another model"
        )
    return path


def start_from(model: keras.Model, path: Path) -> None:
    """Gives a network that was just built the weights of a trained one.

    Args:
        model: The network, its weights still random.
        path: The `model.keras` of a network of the same layers.

    Raises:
        ConfigError: If the file cannot be read, or its network is another one.
    """
    import keras

    try:
        source = keras.saving.load_model(path, compile=False)
    except Exception as error:  # fed with a damaged file, Keras fails in every way there is
        raise ConfigError(f"cannot start from {path}, it is damaged: {error}") from error
    expected, found = ([tuple(w.shape) for w in net.weights] for net in (model, source))
    if expected != found:
        raise ConfigError(
            f"cannot start from {path}: its network is not the one to train, which has "
            f"{model.count_params():,} weights where it has {source.count_params():,}. Choose the "
            "architecture, width and attention that it was trained with"
        )
    model.set_weights(source.get_weights())


def earlier_stages(config: TrainingConfig, home: Home) -> tuple[ModelContract, ...]:
    """The models whose weights a training goes on from, the first of them first.

    Args:
        config: The training.
        home: Where its forerunners are looked for. One that is gone ends the search:
            what came before it is not known any more.
    """
    found: dict[str, ModelContract] = {}
    while config.start_from and config.start_from not in found:
        name = config.start_from
        try:
            contract = ModelContract.load(ModelCatalog(home).resolve(name).folder)
            config = TrainingConfig.from_dict(contract.training)
        except (ModelLoadError, ConfigError):
            break
        found[name] = contract
    return tuple(reversed(found.values()))
