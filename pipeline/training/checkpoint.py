"""What a training needs to go on as if it had never been interrupted.

    checkpoints/
        epoch-0007/
            arrays.npz    weights, optimizer state, weight average
            state.json    finished epochs, history, best epoch, patience
        best-0005.npz     weights of the best epoch

A checkpoint appears in one rename, and the one before it is removed only
afterwards, so a process killed at any moment leaves a complete one. Arrays are
stored by position: they fit any backend of Keras that builds the same network.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pipeline.errors import RunStateError
from pipeline.files import read_arrays, read_json, write_arrays, write_json

_ARRAYS = "arrays.npz"
_STATE = "state.json"


@dataclass
class LoopState:
    """Where the training loop stands after an epoch.

    Attributes:
        epochs_done: How many epochs have been finished.
        best_epoch: The epoch, from 1, whose weights are kept; 0: none yet.
        best_value: Its monitored figure, signed so that more is better.
        epochs_since_best: For early stopping.
        epochs_since_drop: Epochs without progress since the learning rate was
            last halved, for the plateau schedule.
        history: One entry per finished epoch.
    """

    epochs_done: int = 0
    best_epoch: int = 0
    best_value: float = float("-inf")
    epochs_since_best: int = 0
    epochs_since_drop: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save_best(self, model: keras.Model, epoch: int) -> None:
        """Keeps the model's present weights as those of the best epoch."""
        write_arrays(self._best(epoch), _weights(model))

    def load_best(self, model: keras.Model, epoch: int) -> None:
        """Gives the model the weights that `save_best` kept.

        Raises:
            RunStateError: If they are missing or do not fit.
        """
        _assign(model.weights, _read_arrays(self._best(epoch)), "weight", self._best(epoch))

    def save(self, model: keras.Model, state: LoopState) -> None:
        """Writes a checkpoint and removes the ones that it replaces."""
        target = self.folder / f"epoch-{state.epochs_done:04d}"
        aside = self.folder / f".{target.name}.tmp"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        arrays = _weights(model) | _arrays("optimizer", model.optimizer.variables)
        write_arrays(aside / _ARRAYS, arrays)
        write_json(aside / _STATE, asdict(state))
        shutil.rmtree(target, ignore_errors=True)
        aside.replace(target)
        self._tidy(target, state.best_epoch)

    def latest(self) -> Path | None:
        """The newest complete checkpoint."""
        complete = sorted(self.folder.glob("epoch-*/" + _STATE))
        return complete[-1].parent if complete else None

    def restore(self, model: keras.Model) -> LoopState:
        """Puts model and optimizer back to the newest checkpoint, if there is one.

        Args:
            model: Compiled, with its optimizer built.

        Returns:
            Where the loop stood; a fresh state when there is no checkpoint.

        Raises:
            RunStateError: If it is damaged, or the arrays do not fit the model.
        """
        folder = self.latest()
        if folder is None:
            return LoopState()
        arrays = _read_arrays(folder / _ARRAYS)
        _assign(model.weights, arrays, "weight", folder)
        _assign(model.optimizer.variables, arrays, "optimizer", folder)
        try:
            return LoopState(**read_json(folder / _STATE))
        except (OSError, ValueError, TypeError) as error:
            raise _damaged(folder / _STATE) from error

    def _best(self, epoch: int) -> Path:
        return self.folder / f"best-{epoch:04d}.npz"

    def _tidy(self, kept: Path, best_epoch: int) -> None:
        # Only the process that trains the run writes here, and now it writes nothing: what is
        # half written was left by one that was killed.
        for left in self.folder.glob(".*.tmp"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        for old in self.folder.glob("epoch-*"):
            if old != kept:
                shutil.rmtree(old, ignore_errors=True)
        for old in self.folder.glob("best-*.npz"):
            if old != self._best(best_epoch):
                old.unlink(missing_ok=True)


def _weights(model: keras.Model) -> dict[str, np.ndarray]:
    return _arrays("weight", model.weights)


def _arrays(kind: str, variables: list[keras.Variable]) -> dict[str, np.ndarray]:
    return {
        f"{kind}-{index:04d}": keras.ops.convert_to_numpy(variable)
        for index, variable in enumerate(variables)
    }


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays = read_arrays(path)
    if arrays is None:
        raise _damaged(path)
    return arrays


def _damaged(path: Path) -> RunStateError:
    return RunStateError(
        f"checkpoint {path} is missing or damaged, so the training cannot go on: start a new run"
    )


def _assign(
    variables: list[keras.Variable], arrays: dict[str, np.ndarray], kind: str, source: Path
) -> None:
    stored = [arrays[name] for name in sorted(arrays) if name.startswith(kind)]
    expected = [tuple(variable.shape) for variable in variables]
    found = [value.shape for value in stored]
    if expected != found:
        raise RunStateError(
            f"checkpoint {source} does not fit the network: expected {len(expected)} {kind} "
            f"arrays, found {len(found)}, or their shapes differ"
        )
    for variable, value in zip(variables, stored, strict=True):
        variable.assign(value)
