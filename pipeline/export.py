"""Writing a trained model in the formats that others run, and reading each back.

A format counts as written when the file, loaded again, scores the model's probe
faces as the Keras model did, within `recognition.probes.SCORE_TOLERANCE`.
TensorFlow does the conversions. Where Keras runs on JAX or PyTorch, a short-lived
process of its own makes the ONNX file.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnxruntime

from pipeline.errors import ExportError
from pipeline.home import PROJECT_ROOT
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import MODEL_KERAS, MODEL_ONNX
from pipeline.recognition.probes import Probes

if TYPE_CHECKING:
    import keras

BACKEND_TOLERANCE = 0.05
"""Largest difference between the scores of one face where it was trained and on this CPU.

Accelerators compute `float32` products with 10 bits or less. A backend that
pads or pools differently moves scores by tenths.
"""

_Inputs = npt.NDArray[np.uint8]
_Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Format:
    """One format that a model can be written in.

    Attributes:
        suffix: How the file's name ends; empty for a folder.
        write: Takes a model's folder and the path to write to.
        scores: Reads the path back and scores inputs with it.
    """

    suffix: str
    write: Callable[[Path, Path], None]
    scores: Callable[[Path, _Inputs], _Scores]


def export_model(model_folder: Path, format: str, out: Path, *, overwrite: bool = False) -> Path:
    """Writes a model in another format, and loads it back to compare its scores.

    Args:
        model_folder: Holds what `recognition.contract` lists.
        format: A key of `FORMATS`.
        out: The file to write, or the folder for `savedmodel`.
        overwrite: Whether what is at `out` may be replaced.

    Returns:
        `out`.

    Raises:
        ModelLoadError: If the model itself is missing or damaged.
        ExportError: If the format is unknown, its name ends otherwise, `out` is
            taken, or what was written cannot be read back or scores differently.
    """
    if format not in FORMATS:
        raise ExportError(f"unknown format {format!r}: expected one of {', '.join(FORMATS)}")
    chosen = FORMATS[format]
    _check_target(out, format, overwrite)
    EmotionClassifier.load(model_folder)
    if format != "onnx" and not (model_folder / MODEL_KERAS).exists():
        raise ExportError(
            f"{model_folder} holds no {MODEL_KERAS}, which {format} is made from: an ensemble "
            "exists as ONNX only; export it as onnx, or export its members one by one"
        )
    probes = Probes.load(model_folder)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch, _quiet():
            aside = Path(scratch) / f"model{chosen.suffix}"
            chosen.write(model_folder, aside)
            probes.check_scores(chosen.scores(aside, probes.inputs))
            if out.is_dir():
                out.replace(aside.with_name("replaced"))
            aside.replace(out)
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"cannot export {model_folder} as {format} to {out}: {error}") from error
    return out


def write_onnx(folder: Path) -> None:
    """Makes the ONNX file of a new model, and takes the reference scores of its probes.

    Reads `model.keras` and `probes.npz`, whose scores are those of the backend
    and the device that trained. Writes `model.onnx`, and into `probes.npz` the
    scores of the Keras model as TensorFlow computes them on this CPU.

    Args:
        folder: The model's folder; its contract may still be missing.

    Raises:
        ExportError: If the conversion fails, or TensorFlow scores the probes
            otherwise than the backend that trained.
        ModelLoadError: If `probes.npz` is missing or damaged.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        _write_onnx_elsewhere(folder)
        return
    probes = Probes.load(folder)
    try:
        with _quiet():
            model = _load_keras(folder / MODEL_KERAS)
            scores = _score(model, probes.inputs)
            model.export(str(folder / MODEL_ONNX), format="onnx", verbose=False)
    except Exception as error:
        raise ExportError(f"cannot convert {folder / MODEL_KERAS} to ONNX: {error}") from error
    worst = float(np.abs(scores - probes.scores).max())
    if not worst <= BACKEND_TOLERANCE:
        raise ExportError(
            f"the saved model scores the probe faces differently from the one that was trained, "
            f"by up to {worst:.3g} (allowed: {BACKEND_TOLERANCE:g})"
        )
    replace(probes, scores=scores).save(folder)


def _write_onnx_elsewhere(folder: Path) -> None:
    """Runs `write_onnx` in a process whose Keras is on TensorFlow."""
    program = (
        "import pathlib, sys; from pipeline.export import write_onnx; "
        "write_onnx(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder.resolve())],
        cwd=PROJECT_ROOT,
        # The accelerator's memory belongs to the process that trained.
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ExportError(
            f"cannot make an ONNX file with TensorFlow, which conversion needs: {reason}"
        )


def _check_target(out: Path, format: str, overwrite: bool) -> None:
    suffix = FORMATS[format].suffix
    if suffix and out.suffix != suffix:
        raise ExportError(f"a {format} file's name ends in {suffix}, got {out}")
    if not out.exists():
        return
    if not overwrite:
        raise ExportError(f"{out} exists already: choose another name, or overwrite it")
    # Never sweep away a folder that is something else.
    if out.is_dir() and (suffix or not (out / "saved_model.pb").exists()):
        raise ExportError(f"{out} is a folder, but no SavedModel: it is not overwritten")


def _load_keras(path: Path) -> keras.Model:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"conversion needs Keras on TensorFlow, but here it runs on "
            f"{keras.backend.backend()}: use `python -m pipeline export`"
        )
    with keras.device("cpu:0"):
        return keras.saving.load_model(path, compile=False)


def _score(model: keras.Model, inputs: _Inputs) -> _Scores:
    import keras

    with keras.device("cpu:0"):
        return np.asarray(model(inputs.astype(np.float32), training=False), np.float32)


def _copy(name: str) -> Callable[[Path, Path], None]:
    def write(folder: Path, out: Path) -> None:
        shutil.copyfile(folder / name, out)

    return write


def _write_h5(folder: Path, out: Path) -> None:
    _load_keras(folder / MODEL_KERAS).save(out)


def _converter(keras_format: str) -> Callable[[Path, Path], None]:
    def write(folder: Path, out: Path) -> None:
        model = _load_keras(folder / MODEL_KERAS)
        _score(model, Probes.load(folder).inputs[:1])  # Keras exports only what was called
        model.export(str(out), format=keras_format, verbose=False)

    return write


def _keras_scores(path: Path, inputs: _Inputs) -> _Scores:
    return _score(_load_keras(path), inputs)


def _onnx_scores(path: Path, inputs: _Inputs) -> _Scores:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: inputs.astype(np.float32)}
    return np.asarray(session.run(None, feed)[0])


def _saved_model_scores(path: Path, inputs: _Inputs) -> _Scores:
    import tensorflow as tf

    with tf.device("cpu:0"):
        loaded = tf.saved_model.load(str(path))
        return np.asarray(loaded.serve(inputs.astype(np.float32)))


def _litert_scores(path: Path, inputs: _Inputs) -> _Scores:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path))
    (signature,) = interpreter.get_signature_list().values()
    feed = {signature["inputs"][0]: inputs.astype(np.float32)}
    (scores,) = interpreter.get_signature_runner()(**feed).values()
    return np.asarray(scores)


FORMATS: dict[str, Format] = {
    "keras": Format(".keras", _copy(MODEL_KERAS), _keras_scores),
    "h5": Format(".h5", _write_h5, _keras_scores),
    "savedmodel": Format("", _converter("tf_saved_model"), _saved_model_scores),
    "onnx": Format(".onnx", _copy(MODEL_ONNX), _onnx_scores),
    "litert": Format(".tflite", _converter("litert"), _litert_scores),
}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps announcements of Keras and TensorFlow, which no user can act on, off the console."""
    absl = logging.getLogger("absl")
    before = absl.level
    absl.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl.setLevel(before)
