"""The training loop: one run, from wherever it stands to its end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset, Split
from pipeline.errors import ConfigError, TrainingError
from pipeline.files import write_json
from pipeline.runs import Run, write_history
from pipeline.runs.run import CHECKPOINTS
from pipeline.training.architectures import build
from pipeline.training.averaging import averaged_weights
from pipeline.training.batches import TrainingBatches, num_batches
from pipeline.training.checkpoint import Checkpoints, LoopState
from pipeline.training.config import TrainingConfig
from pipeline.training.devices import strategy_scope
from pipeline.training.environment import describe, peak_memory_mb
from pipeline.training.metrics import validation_figures
from pipeline.training.optimization import (
    PLATEAU_FACTOR,
    current_rate,
    make_loss,
    make_optimizer,
)
from pipeline.training.targets import class_weights, stratified_subset, targets
from pipeline.training.warm_start import start_from

_EVALUATION_BATCH = 256
_SECONDS_BETWEEN_REPORTS = 0.5


class Listener(Protocol):
    """Is told how a training goes, from the thread that trains."""

    def on_batch(self, progress: dict[str, Any]) -> None:
        """Takes epoch, epochs, step, steps, loss, images_per_second, eta_seconds."""
        ...

    def on_epoch(self, entry: dict[str, Any]) -> None:
        """Takes a finished epoch's history entry."""
        ...

    def on_note(self, text: str) -> None:
        """Takes a sentence that people should read."""
        ...


@dataclass(frozen=True)
class TrainingData:
    """What a training holds in memory; images are prepared but not augmented."""

    images: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    class_weights: npt.NDArray[np.float32]
    validation_images: npt.NDArray[np.uint8]
    validation_labels: npt.NDArray[np.uint8]

    @classmethod
    def load(
        cls,
        dataset: Dataset,
        config: TrainingConfig,
        teacher_scores: npt.NDArray[np.float32] | None = None,
    ) -> TrainingData:
        """Reads and prepares both splits.

        Args:
            dataset: What to train on.
            config: How to train.
            teacher_scores: A teacher's probabilities for the whole train split,
                shape `(n, 7)`, if there is one.

        Raises:
            ConfigError: If a split is empty or the configuration asks for votes
                that the dataset does not have.
        """
        train, validation = (dataset.indices(split) for split in (Split.TRAIN, Split.VALIDATION))
        for split, indices in ((Split.TRAIN, train), (Split.VALIDATION, validation)):
            if len(indices) < 2:
                raise ConfigError(
                    f"dataset {dataset.name!r} has {len(indices)} images in its {split} split; "
                    "training needs at least 2"
                )
        whole = train
        train = stratified_subset(dataset.labels, whole, config.subset, config.seed)
        learned = targets(dataset, train, config.soft_labels, config.vote_targets)
        if teacher_scores is not None:
            answers = teacher_scores[np.searchsorted(whole, train)]
            learned += np.float32(config.distillation) * (answers - learned)
        prepare = config.preprocessing.apply
        return cls(
            images=prepare(dataset.images[train]),
            targets=learned,
            class_weights=class_weights(dataset.labels[train], config.class_weights),
            validation_images=prepare(dataset.images[validation]),
            validation_labels=np.asarray(dataset.labels[validation]),
        )


class Trainer:
    """Trains one run until it is done, stopped or fails.

    Args:
        run: Where everything is written.
        config: How to train.
        dataset: What to train on.
        listener: Is told how it goes.
        should_stop: Asked after every batch; once it says yes, the training ends
            there and the epoch under way is not counted.
        teacher_scores: See `TrainingData.load`.
        start: The `model.keras` whose weights it starts from; `None`: random ones.
    """

    def __init__(
        self,
        run: Run,
        config: TrainingConfig,
        dataset: Dataset,
        listener: Listener,
        should_stop: Callable[[], bool],
        teacher_scores: npt.NDArray[np.float32] | None = None,
        start: Path | None = None,
    ) -> None:
        self._run = run
        self._config = config
        self._dataset = dataset
        self._listener = listener
        self._should_stop = should_stop
        self._teacher_scores = teacher_scores
        self._start = start
        self._checkpoints = Checkpoints(run.folder / CHECKPOINTS)
        self._was_stopped = False

    @property
    def was_stopped(self) -> bool:
        """Whether `train` ended because it was asked to, not because it was done."""
        return self._was_stopped

    def train(self) -> keras.Model | None:
        """Trains, and returns the network with its best weights.

        Returns:
            The best network; `None` if it was stopped before an epoch ended.

        Raises:
            TrainingError: If the loss is not a number any more.
            ConfigError: If configuration and dataset do not fit.
        """
        config = self._config
        data = TrainingData.load(self._dataset, config, self._teacher_scores)
        keras.utils.set_random_seed(config.seed)
        steps = num_batches(len(data.images), config.batch_size)
        with strategy_scope():
            is_new = self._start is None and self._checkpoints.latest() is None
            model = build(config, self._listener.on_note, pretrained=is_new)
            if self._start is not None:
                start_from(model, self._start)
            model.compile(make_optimizer(config, steps), make_loss(config), metrics=["accuracy"])
            model.optimizer.build(model.trainable_variables)
        _build_losses(model, data)
        state = self._checkpoints.restore(model)
        write_history(self._run, state.history)
        write_json(self._run.folder / "environment.json", describe(self._dataset))
        while state.epochs_done < config.epochs and not self._has_stalled(state):
            if not self._train_epoch(model, data, state):
                self._was_stopped = True
                break
        if not state.best_epoch:
            return None
        self._checkpoints.load_best(model, state.best_epoch)
        return model

    def _train_epoch(self, model: keras.Model, data: TrainingData, state: LoopState) -> bool:
        """Trains one more epoch; False if it was stopped in its middle."""
        epoch, config = state.epochs_done, self._config
        began = time.monotonic()
        rate = current_rate(model.optimizer)
        _reseed(model, config.seed, epoch)
        batches = TrainingBatches(data.images, data.targets, data.class_weights, config, epoch)
        monitor = _BatchMonitor(epoch, config, len(data.images), self._listener, self._should_stop)
        logs = model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[monitor]).history
        if monitor.stopped:
            return False
        train_seconds = time.monotonic() - began
        with averaged_weights(model, batches):
            scores = model.predict(data.validation_images, _EVALUATION_BATCH, verbose=0)
            figures = validation_figures(scores, data.validation_labels)
            learned = {name: logs[name][-1] for name in ("loss", "accuracy")}
            _check_finite({**learned, **figures}, epoch + 1)
            is_best = self._judge(state, figures)
            if is_best:
                self._checkpoints.save_best(model, epoch + 1)
        entry = {
            "epoch": epoch + 1,
            **learned,
            **figures,
            "learning_rate": rate,
            "images_per_second": len(data.images) / train_seconds,
            "seconds": time.monotonic() - began,
            "peak_memory_mb": peak_memory_mb(),
            "is_best": is_best,
            "time": time.time(),
        }
        self._reduce_on_plateau(model, state)
        state.epochs_done += 1
        state.history.append(entry)
        self._checkpoints.save(model, state)
        write_history(self._run, state.history)
        self._listener.on_epoch(entry)
        return True

    def _judge(self, state: LoopState, figures: dict[str, float]) -> bool:
        sign = -1 if self._config.monitor == "val_loss" else 1
        value = sign * figures[self._config.monitor]
        if value <= state.best_value:
            state.epochs_since_best += 1
            state.epochs_since_drop += 1
            return False
        state.best_value, state.best_epoch = value, state.epochs_done + 1
        state.epochs_since_best = state.epochs_since_drop = 0
        return True

    def _reduce_on_plateau(self, model: keras.Model, state: LoopState) -> None:
        patience = self._config.plateau_patience
        if self._config.schedule == "plateau" and state.epochs_since_drop >= patience:
            model.optimizer.learning_rate = current_rate(model.optimizer) * PLATEAU_FACTOR
            state.epochs_since_drop = 0

    def _has_stalled(self, state: LoopState) -> bool:
        patience = self._config.early_stopping
        return bool(patience) and state.epochs_since_best >= patience


class _BatchMonitor(keras.callbacks.Callback):
    """Reports within an epoch, stops when asked to, and refuses a broken loss."""

    def __init__(
        self,
        epoch: int,
        config: TrainingConfig,
        num_images: int,
        listener: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.stopped = False
        self._epoch = epoch
        self._config = config
        self._num_images = num_images
        self._steps = num_batches(num_images, config.batch_size)
        self._listener = listener
        self._should_stop = should_stop
        self._began = self._reported = time.monotonic()
        self._images_before = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the running means of the epoch."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {self._epoch + 1}, step {batch + 1}: lower the "
                "learning rate, or train in float32"
            )
        if self._should_stop():
            self.stopped = self.model.stop_training = True
            return
        now = time.monotonic()
        if batch == 0 and self._steps > 1:
            # In the first batch the backend compiles: it tells nothing of the others' pace.
            self._began, self._images_before = now, self._config.batch_size
        elif now - self._reported >= _SECONDS_BETWEEN_REPORTS or batch + 1 == self._steps:
            self._reported = now
            self._listener.on_batch(self._progress(batch + 1, now - self._began, logs or {}))

    def _progress(self, step: int, elapsed: float, logs: dict[str, float]) -> dict[str, Any]:
        images = min(step * self._config.batch_size, self._num_images) - self._images_before
        speed = images / max(elapsed, 1e-9)
        epochs_left = self._config.epochs - self._epoch - step / self._steps
        return {
            "epoch": self._epoch + 1,
            "epochs": self._config.epochs,
            "step": step,
            "steps": self._steps,
            "loss": float(logs.get("loss", 0.0)),
            "accuracy": float(logs.get("accuracy", 0.0)),
            "images_per_second": speed,
            "eta_seconds": epochs_left * self._num_images / speed,
        }


def _check_finite(figures: dict[str, float], epoch: int) -> None:
    """Refuses the weights of an epoch that are no numbers any more.

    They answer something all the same, so that accuracy and F1 look sound.
    """
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name} is not a number after epoch {epoch}: lower the learning rate, or train in "
                "float32"
            )


def _build_losses(model: keras.Model, data: TrainingData) -> None:
    """Makes Keras build loss and metrics now and not within the first epoch.

    With Torch that draws random numbers, and a resumed training would differ.
    """
    if keras.backend.backend() == "torch":
        model.evaluate(data.images[:2], data.targets[:2], verbose=0)


def _reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Gives dropout the random state of an epoch, whatever came before it.

    A resumed training then drops the same units as an unbroken one. Torch's
    dropout draws from its global state, that of the others from the layer's own.
    """
    keras.utils.set_random_seed(int(np.random.default_rng((seed, epoch)).integers(2**31)))
    states = [variable for variable in model.variables if "seed_generator_state" in variable.path]
    for index, variable in enumerate(states):
        fresh = np.random.default_rng((seed, epoch, index)).integers(0, 2**31 - 1, variable.shape)
        variable.assign(keras.ops.cast(fresh, variable.dtype))
