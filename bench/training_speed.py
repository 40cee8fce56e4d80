"""Images a second in training: this project's way against plain Keras, for the same network.

    python -m bench.training_speed [--architectures seed_cnn vgg_deep] [--batch-size 64]
        [--rounds 4] [--steps 15]

Plain Keras is what its guides show: the same network of Keras' own layers, fed
by `ImageDataGenerator` (which Keras 3 still ships for TensorFlow) or by its
successors, the Random layers in a `tf.data` pipeline. All train on the same
random images, with the same optimizer, loss, batch size and ranges of rotation,
shift, zoom and mirroring. They take turns. Of each turn the steps count that
come after the first few; images a second are the
median turn's, and processor time is that of all threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.common import conclude
from pipeline.training.architectures import blocks, build
from pipeline.training.batches import TrainingBatches
from pipeline.training.config import TrainingConfig
from pipeline.training.optimization import make_loss, make_optimizer

PRECISIONS = ("float32", "mixed_bfloat16")
OURS = "this project"
# The first steps of a turn find batches made while nothing was trained.
UNTIMED = 6


@contextmanager
def keras_own_layers() -> Iterator[None]:
    """Networks built inside the block are of Keras' own layers alone."""
    ours = blocks.FastConv2D, blocks.FastBatchNormalization
    blocks.FastConv2D = keras.layers.Conv2D
    blocks.FastBatchNormalization = keras.layers.BatchNormalization
    try:
        yield
    finally:
        blocks.FastConv2D, blocks.FastBatchNormalization = ours


def our_batches(images: np.ndarray, targets: np.ndarray, config: TrainingConfig) -> Any:
    return TrainingBatches(images, targets, np.ones(7, np.float32), config, epoch=0)


def generator_batches(images: np.ndarray, targets: np.ndarray, config: TrainingConfig) -> Any:
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=config.rotation,
        width_shift_range=config.shift,
        height_shift_range=config.shift,
        zoom_range=config.zoom,
        horizontal_flip=config.flip,
    )
    return generator.flow(images.astype(np.float32), targets, config.batch_size)


def layer_batches(images: np.ndarray, targets: np.ndarray, config: TrainingConfig) -> Any:
    vary = keras.Sequential(
        [
            keras.layers.RandomRotation(config.rotation / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(config.shift, config.shift, fill_mode="nearest"),
            keras.layers.RandomZoom(config.zoom, fill_mode="nearest"),
            keras.layers.RandomFlip("horizontal"),
        ]
    )

    def varied(batch: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return vary(batch, training=True), wanted

    data = tf.data.Dataset.from_tensor_slices((images, targets)).shuffle(len(images))
    batches = data.batch(config.batch_size, drop_remainder=True)
    return batches.map(varied, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


class Way:
    """One way of training a network, which goes on from turn to turn.

    Attributes:
        rates: Images a second of each turn.
        cpu: Processor milliseconds an image of each turn.
    """

    def __init__(self, model: keras.Model, batches: Any, config: TrainingConfig) -> None:
        model.compile(make_optimizer(config, 1000), make_loss(config), metrics=["accuracy"])
        self._model = model
        self._batches = batches
        self._size = config.batch_size
        self.rates: list[float] = []
        self.cpu: list[float] = []

    def take_turn(self) -> None:
        """Trains an epoch; notes how fast it went after its beginning."""
        ends: list[tuple[float, float]] = []

        def note(batch: int, logs: dict[str, float]) -> None:
            float(logs["loss"])  # waits for the step, which may still be under way
            ends.append((time.perf_counter(), time.process_time()))

        watch = keras.callbacks.LambdaCallback(on_train_batch_end=note)
        self._model.fit(self._batches, shuffle=False, verbose=0, callbacks=[watch])
        (began, began_cpu), (ended, ended_cpu) = ends[UNTIMED - 1], ends[-1]
        num_images = self._size * (len(ends) - UNTIMED)
        self.rates.append(num_images / (ended - began))
        self.cpu.append(1e3 * (ended_cpu - began_cpu) / num_images)


def ways(config: TrainingConfig, steps: int) -> dict[str, Way]:
    rng = np.random.default_rng(0)
    number, size = config.batch_size * (UNTIMED + steps), config.input_size
    images = rng.integers(0, 256, (number, size, size, 1), np.uint8)
    targets = np.eye(7, dtype=np.float32)[rng.integers(0, 7, number)]
    found = {OURS: Way(build(config), our_batches(images, targets, config), config)}
    plain: dict[str, Callable[..., Any]] = {
        "Keras, ImageDataGenerator": generator_batches,
        "Keras, Random layers": layer_batches,
    }
    for name, batches in plain.items():
        with keras_own_layers():
            model = build(config)
        found[name] = Way(model, batches(images, targets, config), config)
    return found


def compare(config: TrainingConfig, rounds: int, steps: int) -> str:
    """Prints the figures of one network at one precision; gives the ratios in words."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(config.seed)
    found = ways(config, steps)
    for turn in range(rounds + 1):
        for way in found.values():
            way.take_turn()
            if not turn:  # the first one compiles
                way.rates.clear()
                way.cpu.clear()
    print(f"{config.architecture}, {config.precision}, batches of {config.batch_size}")
    ours = median(found[OURS].rates)
    ratios = []
    for name, way in found.items():
        rate = median(way.rates)
        against = "" if name == OURS else f"   {OURS}: {ours / rate:.2f} times as fast"
        print(
            f"  {name:26s} {rate:7.0f} images/s (from {min(way.rates):.0f} to "
            f"{max(way.rates):.0f}), {median(way.cpu):6.2f} ms of CPU an image{against}"
        )
        if name != OURS:
            ratios.append(f"{ours / rate:.1f}")
    return f"{config.architecture} {config.precision} {ours:.0f} images/s ({', '.join(ratios)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", nargs="+", default=["seed_cnn", "vgg_deep"])
    parser.add_argument("--batch-size", type=int, default=TrainingConfig.batch_size)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=15, help="that count, of each turn")
    given = parser.parse_args()
    base = TrainingConfig(batch_size=given.batch_size)
    findings = [
        compare(
            replace(base, architecture=architecture, precision=precision), given.rounds, given.steps
        )
        for architecture in given.architectures
        for precision in PRECISIONS
    ]
    conclude(f"{'; '.join(findings)}: times as fast as Keras with its generator, its layers")


if __name__ == "__main__":
    main()
