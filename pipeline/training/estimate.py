"""What a training will cost on this machine, measured before it starts.

Importing this module does not import Keras: the dashboard asks a process of its
own, through `estimate`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.dataset import Dataset
from pipeline.errors import ConfigError, TrainingError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.progress import Progress, no_progress
from pipeline.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

    from pipeline.training.trainer import TrainingData

_WARM_UP_STEPS = 2
_TIMED_STEPS = 3
_PREDICTED = 256
_SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class Estimate:
    """What a training costs.

    Attributes:
        num_parameters: Trainable and fixed weights together.
        num_macs: Multiply-accumulate operations for one face.
        seconds_per_epoch: Training and validation together, and averaging the
            weights if they are averaged.
        images_per_second: Training images, augmentation included.
        peak_memory_mb: Resident memory of the measuring process, MiB.
    """

    num_parameters: int
    num_macs: int
    seconds_per_epoch: float
    images_per_second: float
    peak_memory_mb: float

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Estimate:
        """Reads what `to_dict` made.

        Raises:
            TypeError: If a field is missing or unknown.
        """
        return cls(**values)


def measure(config: TrainingConfig, dataset: Dataset) -> Estimate:
    """Builds the network and times three training batches, in this process.

    The first batches, in which the backend compiles, do not count.

    Raises:
        PipelineError: If network, configuration and dataset do not fit.
    """
    import keras

    from pipeline.training.architectures import build
    from pipeline.training.architectures.macs import count_macs
    from pipeline.training.batches import num_batches
    from pipeline.training.environment import peak_memory_mb
    from pipeline.training.optimization import make_loss, make_optimizer
    from pipeline.training.trainer import TrainingData

    data = TrainingData.load(dataset, config)
    keras.utils.set_random_seed(config.seed)
    steps = num_batches(len(data.images), config.batch_size)
    model = build(config)
    model.compile(make_optimizer(config, steps), make_loss(config), metrics=["accuracy"])
    # A batch is never larger than the dataset.
    size = min(config.batch_size, len(data.images))
    config = replace(config, batch_size=size)
    seconds = _seconds_per_step(model, data, config)
    averaging = _averaging_seconds(model, data, config)
    validation = _validation_seconds(model, data.validation_images)
    return Estimate(
        num_parameters=model.count_params(),
        num_macs=count_macs(model),
        seconds_per_epoch=steps * seconds + averaging + validation,
        images_per_second=size / seconds,
        peak_memory_mb=peak_memory_mb(),
    )


def estimate(
    config: TrainingConfig, dataset: str, home: Home, progress: Progress = no_progress
) -> Estimate:
    """Does `measure` in a process of its own.

    Args:
        config: How it is to be trained.
        dataset: The dataset's name.
        home: Where the dataset is.
        progress: Asked several times a second whether to stop; the process is
            then ended.

    Raises:
        TrainingError: If it cannot be measured; the message says why.
        Cancelled: If `progress` does.
    """
    command = [sys.executable, "-m", "pipeline", "estimate", "--dataset", dataset]
    environ = {**os.environ, "FERLAB_HOME": str(home.root)}
    # Files, not pipes: nobody needs to read them while it runs.
    with tempfile.TemporaryFile("w+") as answer, tempfile.TemporaryFile("w+") as complaint:
        process = subprocess.Popen(
            [*command, "--settings", json.dumps(config.to_dict())],
            cwd=PROJECT_ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=complaint,
        )
        try:
            while process.poll() is None:
                progress(0, None, "building the network and timing three batches")
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        answer.seek(0)
        complaint.seek(0)
        if process.returncode:
            raise TrainingError(_last_line(complaint.read(), process.returncode))
        return Estimate.from_dict(json.load(answer))


def read_settings(text: str) -> TrainingConfig:
    """A configuration from a JSON object; what it leaves out takes its default.

    Raises:
        ConfigError: If it is not such an object, or a value is out of its range.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"the settings are not JSON ({error})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"the settings must be a JSON object, got {type(values).__name__}")
    return TrainingConfig.from_dict(values)


def _seconds_per_step(model: keras.Model, data: TrainingData, config: TrainingConfig) -> float:
    """Trains a few batches; gives the mean time of those after the warm-up."""
    import keras
    import numpy as np

    from pipeline.training.batches import TrainingBatches

    ends: list[float] = []

    def note(batch: int, logs: dict[str, float]) -> None:
        float(logs["loss"])  # waits for the step, which may still be under way
        ends.append(time.monotonic())

    # A small dataset is gone through more than once.
    chosen = np.arange((_WARM_UP_STEPS + _TIMED_STEPS) * config.batch_size) % len(data.images)
    batches = TrainingBatches(
        data.images[chosen], data.targets[chosen], data.class_weights, config, epoch=0
    )
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    model.fit(batches, shuffle=False, verbose=0, callbacks=[watch])
    return (ends[-1] - ends[_WARM_UP_STEPS - 1]) / _TIMED_STEPS


def _averaging_seconds(model: keras.Model, data: TrainingData, config: TrainingConfig) -> float:
    """How long it takes to put the averaged weights in place, as before each validation."""
    from pipeline.training.averaging import averaged_weights
    from pipeline.training.batches import TrainingBatches

    if not config.ema:
        return 0.0
    batches = TrainingBatches(data.images, data.targets, data.class_weights, config, epoch=0)
    model(batches[0][0], training=True)  # compiles
    began = time.monotonic()
    with averaged_weights(model, batches):
        return time.monotonic() - began


def _validation_seconds(model: keras.Model, images: npt.NDArray[np.uint8]) -> float:
    """How long all validation images take, from some of them."""
    faces = images[:_PREDICTED]
    model.predict(faces, _PREDICTED, verbose=0)  # compiles
    began = time.monotonic()
    model.predict(faces, _PREDICTED, verbose=0)
    return (time.monotonic() - began) * len(images) / len(faces)


def _last_line(text: str, code: int) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return f"measuring ended with exit code {code} and without a word: memory may have run out"
    return lines[-1].removeprefix("error: ")
