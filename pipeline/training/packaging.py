"""From trained weights to a servable model: conversion, calibration, evaluation, papers.

Everything is made aside, in a hidden folder, and then moved into the model's
folder with `contract.json` last: a folder that has a contract is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pipeline.dataset import Dataset
from pipeline.evaluation import EvaluationReport
from pipeline.evaluation.release import dataset_reference, probe_faces, release
from pipeline.export import write_onnx
from pipeline.progress import Progress, no_progress, part_of
from pipeline.provenance import made_with
from pipeline.recognition.contract import (
    CONTRACT,
    EVALUATION,
    MODEL_CARD,
    MODEL_KERAS,
    MODEL_ONNX,
    ModelContract,
)
from pipeline.recognition.probes import PROBES, Probes
from pipeline.training.architectures.fast_layers import plain_layer
from pipeline.training.architectures.macs import count_macs
from pipeline.training.config import TrainingConfig
from pipeline.training.model_card import render_model_card

_STAGE = ".packaging"
# The share of the time.
_CONVERTED = 0.25


def package_model(
    model: keras.Model,
    folder: Path,
    *,
    name: str,
    config: TrainingConfig,
    dataset: Dataset,
    earlier: Sequence[ModelContract] = (),
    teacher: ModelContract | None = None,
    with_test: bool = True,
    progress: Progress = no_progress,
) -> dict[str, EvaluationReport]:
    """Makes a trained network into a model that can be served.

    Temperature and threshold are fitted on the validation split; the test split
    is scored once, at the end, if at all. All figures are those of the ONNX model.

    If the dataset carries edits, what chooses has them: temperature and
    threshold, like the best epoch before. What is reported has not: the reports
    are on the dataset as it was imported, so that they compare between runs,
    whatever edits each was trained with, and with what others publish.

    Args:
        model: Takes `float32` in `[0, 255]`, shape `(n, size, size, 1)`, and
            gives probabilities, shape `(n, 7)`.
        folder: Where the model is put, usually its run's folder; what else lies
            there is left alone, an older model is replaced.
        name: The model's name.
        config: How it was trained.
        dataset: What it was trained on, with its edits if it carries some.
        earlier: The models whose weights it went on from, the first of them first.
        teacher: The model whose answers it learned, if any.
        with_test: Whether to score the test split too.
        progress: Told the share that is done.

    Returns:
        Reports by split: `validation`, and `test` if it is wanted and there is one.

    Raises:
        DatasetError: If the validation split is empty.
        ExportError: If the network cannot be converted to ONNX.
        ModelLoadError: If the ONNX model scores otherwise than Keras does.
    """
    stage = folder / _STAGE
    shutil.rmtree(stage, ignore_errors=True)  # left behind by an interrupted packaging
    stage.mkdir(parents=True)
    try:
        progress(0, 1, "converting to ONNX")
        plain = _plain_float32(model)
        plain.save(stage / MODEL_KERAS)
        _probes(plain, config).save(stage)
        write_onnx(stage)
        reports = release(
            stage,
            _contract(plain, name, config, dataset, [*earlier, *([teacher] if teacher else [])]),
            dataset,
            lambda contract, reports: render_model_card(
                contract, config, dataset.official.meta, reports, earlier
            ),
            with_test=with_test,
            progress=part_of(progress, _CONVERTED, 1),
        )
        progress(1, 1, "packaged")
        _move_into(folder, stage)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return reports


def _move_into(folder: Path, stage: Path) -> None:
    """Moves the files in, such that at no moment old and new ones look complete together."""
    (folder / CONTRACT).unlink(missing_ok=True)
    for name in (MODEL_KERAS, MODEL_ONNX, PROBES, EVALUATION, MODEL_CARD, CONTRACT):
        (stage / name).replace(folder / name)


def _plain_float32(model: keras.Model) -> keras.Model:
    """The network alone: no optimizer or loss, Keras' own layers, all in `float32`.

    Weights are `float32` under mixed precision too; only the layers' arithmetic
    is not, and neither ONNX Runtime nor a reproducible score can use that. With
    Keras' own layers, `model.keras` opens where this project is not installed.
    """
    plain = keras.Model(model.input, model.output, name=model.name)
    config = plain.get_config()
    wanted = _plain_config(config)
    if wanted == config:
        return plain
    copy = keras.Model.from_config(wanted)
    copy.set_weights(plain.get_weights())
    return copy


def _plain_config(value: Any) -> Any:
    """A configuration with every layer Keras' own, and every dtype policy `float32`."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "DTypePolicy":
            return {**value, "config": {"name": "float32"}}
        return {key: _plain_config(held) for key, held in plain_layer(value).items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain_config(held) for held in value)
    return value


def _probes(model: keras.Model, config: TrainingConfig) -> Probes:
    faces = probe_faces()
    inputs = config.preprocessing.apply(faces)
    scores = keras.ops.convert_to_numpy(model(inputs.astype(np.float32), training=False))
    return Probes(faces, inputs, scores)


def _contract(
    model: keras.Model,
    name: str,
    config: TrainingConfig,
    dataset: Dataset,
    forebears: Sequence[ModelContract],
) -> ModelContract:
    """The contract before calibration."""
    handed_down = {data for contract in forebears for data in contract.learned_from}
    return ModelContract(
        name=name,
        architecture=config.architecture,
        preprocessing=config.preprocessing,
        temperature=1.0,
        unsure_below=0.0,
        dataset=dataset_reference(dataset),
        training=config.to_dict(),
        num_parameters=model.count_params(),
        num_macs=count_macs(model),
        versions=made_with(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        handed_down=tuple(sorted(handed_down)),
    )
