"""How long one face takes: ONNX Runtime, as served, against three ways of calling Keras.

    python -m bench.latency MODEL

MODEL is what `python -m pipeline evaluate` takes. The ways take turns, so that
whatever else the machine does meets them alike; processor time counts all
threads.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from bench.common import conclude, in_turns, model_entry
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import MODEL_KERAS
from pipeline.recognition.probes import Probes

SERVED = "ONNX Runtime, with preprocessing"
ROUNDS = 20


def ways_to_score(name: str) -> dict[str, Callable[[], object]]:
    folder = model_entry(name).folder
    probes = Probes.load(folder)
    face, inputs = probes.faces[:1], probes.inputs[:1].astype(np.float32)
    served = EmotionClassifier.load(folder)
    one_thread = EmotionClassifier.load(folder, num_threads=1)
    model = keras.saving.load_model(folder / MODEL_KERAS, compile=False)
    compiled = tf.function(model, input_signature=[tf.TensorSpec(inputs.shape, tf.float32)])
    tensor = tf.constant(inputs)
    return {
        SERVED: lambda: served.scores(face),
        "ONNX Runtime, one thread": lambda: one_thread.scores(face),
        "Keras, tf.function": lambda: compiled(tensor).numpy(),
        "Keras, model(x)": lambda: model(tensor, training=False).numpy(),
        "Keras, model.predict": lambda: model.predict(inputs, verbose=0),
    }


def main() -> None:
    times = in_turns(ways_to_score(sys.argv[1]), ROUNDS, calls=5, warm_up=5)
    for name, found in times.items():
        print(
            f"{name:34s} median {found.median:7.2f} ms (min {min(found.wall):.2f}), "
            f"processor {statistics.median(found.cpu):7.2f} ms"
        )
    ours = times.pop(SERVED).median
    keras_ways = {name: found for name, found in times.items() if name.startswith("Keras")}
    ratios = (f"{name} {found.median / ours:.1f} times" for name, found in keras_ways.items())
    conclude(f"{ours:.2f} ms a face as served; {', '.join(ratios)} as long")


if __name__ == "__main__":
    main()
