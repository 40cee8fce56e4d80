"""The model contract: what must travel with weights for them to mean anything.

<model folder>/
    model.onnx        served
    model.keras       to train further
    contract.json     this module
    probes.npz        a few faces and the scores that Keras gave them
    evaluation.json   reports by split
    MODEL_CARD.md
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError, ModelLoadError
from pipeline.files import read_json, write_json
from pipeline.labels import NAMES
from pipeline.preprocessing import Preprocessing

FORMAT_VERSION = 1
MODEL_ONNX = "model.onnx"
MODEL_KERAS = "model.keras"
CONTRACT = "contract.json"
PROBES = "probes.npz"
EVALUATION = "evaluation.json"
MODEL_CARD = "MODEL_CARD.md"


@dataclass(frozen=True)
class ModelContract:
    """How to use a model, and what it was made from.

    Attributes:
        name: The model's name: a run id, or the folder below `models/`.
        architecture: The registered name of the network.
        preprocessing: What turns a face crop into the input, `uint8` in
            `[0, 255]` of shape `(n, size, size, 1)`; the network normalises.
        face_margin: How much larger than the detected box the crop is taken, as
            a share of the box's side on each of the four sides.
        temperature: Divides the logits; fitted on validation (Guo et al. 2017,
            arXiv:1706.04599).
        unsure_below: A highest probability below this is reported as unsure;
            chosen on validation.
        dataset: Name, title, `synthetic` flag and fingerprint of the training data.
        training: The training configuration, by field name.
        num_parameters: Trainable and fixed weights together.
        num_macs: Multiply-accumulate operations for one face.
        versions: Libraries that made the file.
        created: ISO 8601 in UTC.
        labels: Class names in the order of the output's columns.
    """

    name: str
    architecture: str
    preprocessing: Preprocessing
    temperature: float
    unsure_below: float
    dataset: dict[str, Any]
    training: dict[str, Any]
    num_parameters: int
    num_macs: int
    versions: dict[str, str]
    created: str
    face_margin: float = 0.0
    labels: tuple[str, ...] = field(default=NAMES)
    format_version: int = FORMAT_VERSION

    @property
    def synthetic(self) -> bool:
        """Whether the model learned from drawn faces only."""
        return bool(self.dataset.get("synthetic"))

    def save(self, folder: Path) -> None:
        """Writes `contract.json` into a model's folder."""
        write_json(folder / CONTRACT, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> ModelContract:
        """Reads `contract.json` from a model's folder.

        Raises:
            ModelLoadError: If it is missing, damaged, of another version, or its
                labels are not this program's.
        """
        path = folder / CONTRACT
        try:
            value = read_json(path)
            if value["format_version"] != FORMAT_VERSION:
                raise ModelLoadError(
                    f"{path} has format {value['format_version']}, expected {FORMAT_VERSION}: "
                    "export the model again"
                )
            value["preprocessing"] = Preprocessing(**value["preprocessing"])
            value["labels"] = tuple(value["labels"])
            contract = cls(**value)
        except FileNotFoundError as error:
            raise ModelLoadError(f"{folder} holds no model: {CONTRACT} is missing") from error
        except (json.JSONDecodeError, KeyError, TypeError, ConfigError) as error:
            raise ModelLoadError(f"{path} is damaged: {error}") from error
        if contract.labels != NAMES:
            raise ModelLoadError(
                f"{path} lists the labels {contract.labels}, expected {NAMES} in this order"
            )
        return contract
