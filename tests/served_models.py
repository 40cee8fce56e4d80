"""A model folder made in milliseconds, without Keras: it answers where the brightest bar is."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.preprocessing import Preprocessing
from pipeline.recognition.contract import MODEL_ONNX, ModelContract
from pipeline.recognition.probes import Probes

BAR_HEIGHT = 6


def bar_faces(labels: np.ndarray, seed: int = 0, size: int = 48) -> np.ndarray:
    """Noise with one bright bar, whose place is the class."""
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, 80, (len(labels), size, size), np.uint8)
    for face, label in zip(faces, labels, strict=True):
        face[BAR_HEIGHT * label : BAR_HEIGHT * (label + 1)] += 60
    return faces


def bar_pictures() -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of one wall, with the bar of class 4 and that of class 6: no cut lies between.

    Returns:
        Each `uint8` RGB, shape `(96, 96, 3)`.
    """
    wall = np.zeros((96, 96, 3), np.uint8)
    wall[:, (np.arange(96) // 12) % 2 == 1] = 150
    first, second = wall.copy(), wall.copy()
    first[48:60] += 100
    second[72:84] += 100
    return first, second


def bar_weights(size: int = 48, gain: float = 0.05) -> np.ndarray:
    """Logits are the mean brightness of each bar, times `gain`; shape `(size², 7)`."""
    weights = np.zeros((size, size, 7), np.float32)
    for label in range(7):
        weights[BAR_HEIGHT * label : BAR_HEIGHT * (label + 1), :, label] = 1
    return (gain / (BAR_HEIGHT * size) * weights).reshape(-1, 7)


def write_network(path: Path, weights: np.ndarray, *, softmax: bool = True) -> None:
    """One dense layer as ONNX."""
    size = round(len(weights) ** 0.5)
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax" if softmax else "Identity", ["logits"], ["scores"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", size, size, 1])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 7])
    graph = helper.make_graph(
        nodes, "bars", [images], [scores], [numpy_helper.from_array(weights, "weights")]
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def make_contract(**changes: Any) -> ModelContract:
    values: dict[str, Any] = {
        "name": "bars",
        "architecture": "dense",
        "preprocessing": Preprocessing(),
        "temperature": 1.0,
        "unsure_below": 0.0,
        "dataset": {"name": "bars", "title": "Bars", "synthetic": False, "fingerprint": "0"},
        "training": {},
        "num_parameters": 1,
        "num_macs": 1,
        "versions": {},
        "created": "2025-01-01T00:00:00+00:00",
    }
    return ModelContract(**{**values, **changes})


def make_model(
    folder: Path, *, gain: float = 0.05, blind_to: tuple[int, ...] = (), **changes: Any
) -> Path:
    """A complete model that never answers `blind_to`; `changes` are fields of its contract."""
    folder.mkdir(parents=True)
    contract = make_contract(**changes)
    weights = bar_weights(contract.preprocessing.size, gain)
    weights[:, list(blind_to)] = -0.01
    write_network(folder / MODEL_ONNX, weights)
    faces = bar_faces(np.arange(14) % 7, seed=1)
    inputs = contract.preprocessing.apply(faces)
    scores = softmax(inputs.reshape(len(inputs), -1).astype(np.float64) @ weights)
    Probes(faces, inputs, scores).save(folder)
    contract.save(folder)
    return folder
