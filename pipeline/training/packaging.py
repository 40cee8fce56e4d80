"""From trained weights to a servable model: conversion, calibration, evaluation, papers.

Everything is made aside, in a hidden folder, and then moved into the model's
folder with `contract.json` last: a folder that has a contract is complete.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from pipeline import __version__
from pipeline.dataset import Dataset, Split
from pipeline.errors import DatasetError
from pipeline.evaluation import EvaluationReport, evaluate
from pipeline.evaluation.calibration import choose_threshold, coverage_curve, fit_temperature
from pipeline.export import write_onnx
from pipeline.files import write_json, write_text
from pipeline.labels import NUM_EMOTIONS
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import EmotionClassifier, with_temperature
from pipeline.recognition.contract import (
    CONTRACT,
    EVALUATION,
    MODEL_CARD,
    MODEL_KERAS,
    MODEL_ONNX,
    ModelContract,
)
from pipeline.recognition.probes import PROBES, Probes
from pipeline.training.architectures.macs import count_macs
from pipeline.training.config import TrainingConfig
from pipeline.training.environment import git_commit, versions
from pipeline.training.model_card import render_model_card

NUM_PROBES = 32

_STAGE = ".packaging"
_STEPS = 4


def package_model(
    model: keras.Model,
    folder: Path,
    *,
    name: str,
    config: TrainingConfig,
    dataset: Dataset,
    progress: Progress = no_progress,
) -> dict[str, EvaluationReport]:
    """Makes a trained network into a model that can be served.

    Temperature and threshold are fitted on the validation split; the test split
    is scored once, at the end. All figures are those of the ONNX model.

    Args:
        model: Takes `float32` in `[0, 255]`, shape `(n, size, size, 1)`, and
            gives probabilities, shape `(n, 7)`.
        folder: Where the model is put, usually its run's folder; what else lies
            there is left alone, an older model is replaced.
        name: The model's name.
        config: How it was trained.
        dataset: What it was trained on.
        progress: Told the steps done.

    Returns:
        Reports by split: `validation`, and `test` where the dataset has one.

    Raises:
        DatasetError: If the validation split is empty.
        ExportError: If the network cannot be converted to ONNX.
        ModelLoadError: If the ONNX model scores otherwise than Keras does.
    """
    stage = folder / _STAGE
    shutil.rmtree(stage, ignore_errors=True)  # left behind by an interrupted packaging
    stage.mkdir(parents=True)
    try:
        reports = _fill(stage, model, name, config, dataset, progress)
        _move_into(folder, stage)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return reports


def _fill(
    stage: Path,
    model: keras.Model,
    name: str,
    config: TrainingConfig,
    dataset: Dataset,
    progress: Progress,
) -> dict[str, EvaluationReport]:
    progress(0, _STEPS, "converting to ONNX")
    plain = _plain_float32(model)
    plain.save(stage / MODEL_KERAS)
    _probes(plain, config, dataset).save(stage)
    write_onnx(stage)

    progress(1, _STEPS, "calibrating")
    contract = _contract(plain, name, config, dataset)
    contract.save(stage)
    contract = _calibrated(contract, EmotionClassifier.load(stage), dataset)
    contract.save(stage)

    classifier = EmotionClassifier.load(stage)
    reports = {}
    for step, split in enumerate((Split.VALIDATION, Split.TEST)):
        progress(2 + step, _STEPS, f"evaluating {split.value}")
        if len(dataset.indices(split)):
            reports[split.value] = evaluate(classifier, dataset, split)
    write_json(stage / EVALUATION, {split: report.to_dict() for split, report in reports.items()})
    write_text(stage / MODEL_CARD, render_model_card(contract, config, dataset.meta, reports))
    progress(_STEPS, _STEPS, "packaged")
    return reports


def _move_into(folder: Path, stage: Path) -> None:
    """Moves the files in, such that at no moment old and new ones look complete together."""
    (folder / CONTRACT).unlink(missing_ok=True)
    for name in (MODEL_KERAS, MODEL_ONNX, PROBES, EVALUATION, MODEL_CARD, CONTRACT):
        (stage / name).replace(folder / name)


def _plain_float32(model: keras.Model) -> keras.Model:
    """The network alone: no optimizer or loss, and every layer in `float32`.

    Weights are `float32` under mixed precision too; only the layers' arithmetic
    is not, and neither ONNX Runtime nor a reproducible score can use that.
    """
    plain = keras.Model(model.input, model.output, name=model.name)
    config = plain.get_config()
    in_float32 = _without_mixed_precision(config)
    if in_float32 == config:
        return plain
    copy = keras.Model.from_config(in_float32)
    copy.set_weights(plain.get_weights())
    return copy


def _without_mixed_precision(value: Any) -> Any:
    """A layer's configuration with every mixed dtype policy replaced by `float32`."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "DTypePolicy":
            return {**value, "config": {"name": "float32"}}
        return {key: _without_mixed_precision(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without_mixed_precision(held) for held in value)
    return value


def _probes(model: keras.Model, config: TrainingConfig, dataset: Dataset) -> Probes:
    faces = dataset.images[_probe_indices(dataset)]
    inputs = config.preprocessing.apply(faces)
    scores = keras.ops.convert_to_numpy(model(inputs.astype(np.float32), training=False))
    return Probes(faces, inputs, scores)


def _probe_indices(dataset: Dataset) -> npt.NDArray[np.intp]:
    """Validation faces, taken from the classes in turn so that rare ones are there too."""
    indices = dataset.indices(Split.VALIDATION)
    if not len(indices):
        raise DatasetError(
            f"dataset {dataset.name!r} has no validation image: none to calibrate a model on"
        )
    labels = dataset.labels[indices]
    rank_in_class = np.empty(len(indices), np.intp)
    for label in range(NUM_EMOTIONS):
        of_class = labels == label
        rank_in_class[of_class] = np.arange(of_class.sum())
    return np.sort(indices[np.lexsort((labels, rank_in_class))[:NUM_PROBES]])


def _contract(
    model: keras.Model, name: str, config: TrainingConfig, dataset: Dataset
) -> ModelContract:
    """The contract before calibration."""
    commit = git_commit()
    return ModelContract(
        name=name,
        architecture=config.architecture,
        preprocessing=config.preprocessing,
        temperature=1.0,
        unsure_below=0.0,
        dataset={
            "name": dataset.name,
            "title": dataset.meta.title,
            "synthetic": dataset.meta.synthetic,
            "fingerprint": dataset.meta.fingerprint,
        },
        training=config.to_dict(),
        num_parameters=model.count_params(),
        num_macs=count_macs(model),
        versions={
            "fer-lab": f"{__version__} ({commit})" if commit else __version__,
            "python": platform.python_version(),
            **versions(),
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _calibrated(
    contract: ModelContract, classifier: EmotionClassifier, dataset: Dataset
) -> ModelContract:
    """The contract with temperature and threshold fitted on the validation split."""
    indices = dataset.indices(Split.VALIDATION)
    labels = np.asarray(dataset.labels[indices])
    raw = classifier.scores(dataset.images[indices], calibrated=False).probabilities
    temperature = fit_temperature(raw, labels)
    calibrated = with_temperature(raw, temperature)
    return replace(
        contract,
        temperature=temperature,
        unsure_below=choose_threshold(calibrated, labels),
        trade_off=coverage_curve(calibrated, labels),
    )
