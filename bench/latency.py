"""How long one face takes: ONNX Runtime, as served, against three ways of calling Keras.

    python -m bench.latency MODEL

MODEL is what `python -m pipeline evaluate` takes. The ways take turns, so that
whatever else the machine does meets them alike; processor time counts all
threads.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import MODEL_KERAS
from pipeline.recognition.probes import Probes

ROUNDS = 20
CALLS = 5
WARM_UP = 5


def ways_to_score(folder_name: str) -> dict[str, Callable[[], object]]:
    folder = ModelCatalog(Home.from_environment()).resolve(folder_name).folder
    probes = Probes.load(folder)
    face, inputs = probes.faces[:1], probes.inputs[:1].astype(np.float32)
    served = EmotionClassifier.load(folder)
    one_thread = EmotionClassifier.load(folder, num_threads=1)
    model = keras.saving.load_model(folder / MODEL_KERAS, compile=False)
    compiled = tf.function(model, input_signature=[tf.TensorSpec(inputs.shape, tf.float32)])
    tensor = tf.constant(inputs)
    return {
        "ONNX Runtime, with preprocessing": lambda: served.scores(face),
        "ONNX Runtime, one thread": lambda: one_thread.scores(face),
        "Keras, tf.function": lambda: compiled(tensor).numpy(),
        "Keras, model(x)": lambda: model(tensor, training=False).numpy(),
        "Keras, model.predict": lambda: model.predict(inputs, verbose=0),
    }


def main() -> None:
    ways = ways_to_score(sys.argv[1])
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        for _ in range(WARM_UP):
            call()
    for _ in range(ROUNDS):
        for name, call in ways.items():
            for _ in range(CALLS):
                began, began_cpu = time.perf_counter(), time.process_time()
                call()
                wall[name].append((time.perf_counter() - began) * 1e3)
                cpu[name].append((time.process_time() - began_cpu) * 1e3)
    for name in ways:
        print(
            f"{name:34s} median {statistics.median(wall[name]):7.2f} ms "
            f"(min {min(wall[name]):.2f}), processor {statistics.median(cpu[name]):7.2f} ms"
        )


if __name__ == "__main__":
    main()
