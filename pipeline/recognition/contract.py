"""The model contract: what must travel with weights for them to mean anything.

<model folder>/
    model.onnx        served
    model.keras       to train further; an ensemble has none
    contract.json     this module
    probes.npz        a few faces and the scores that they must get; see `probes`
    evaluation.json   reports by split
    MODEL_CARD.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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
EVALUATION = "evaluation.json"
MODEL_CARD = "MODEL_CARD.md"

ENSEMBLE = "ensemble"
"""The architecture of a model that holds several networks."""


@dataclass(frozen=True)
class OperatingPoint:
    """What a model gives when it says "unsure" below a threshold, on validation.

    Attributes:
        threshold: Faces whose highest calibrated probability is below are unsure.
        coverage: Share of the faces that are answered, in `[0, 1]`.
        accuracy: Share of the answered faces that are right; `None` when no
            face is answered.
    """

    threshold: float
    coverage: float
    accuracy: float | None


@dataclass(frozen=True)
class ModelContract:
    """How to use a model, and what it was made from.

    Attributes:
        name: The model's name: a run id, or the folder below `models/`.
        architecture: The registered name of the network, or `ensemble`.
        preprocessing: What turns a face crop into the input, `uint8` in
            `[0, 255]` of shape `(n, size, size, 1)`; the network normalises.
        face_margin: How much the crop goes beyond FER-2013's own framing, as a
            share of its side on each of the four sides; each detector knows how
            its boxes relate to that framing.
        align: Whether faces are turned upright by their eyes before cropping.
        temperature: Divides the logits; fitted on validation (Guo et al. 2017,
            arXiv:1706.04599).
        unsure_below: A highest probability below this is reported as unsure;
            chosen on validation.
        trade_off: What other thresholds would give, ascending; the interface
            offers them.
        dataset: Name, title, `synthetic` flag and fingerprint of the data, as
            imported, that it was trained on, or as an ensemble calibrated on;
            `edits`, if it was trained with some: their version,
            the numbers of images excluded and relabelled, and the fingerprint
            that the data had with them.
        training: The training configuration, by field name; of an ensemble, its
            `members` and `views`.
        num_parameters: Trainable and fixed weights together.
        num_macs: Multiply-accumulate operations for one face.
        versions: Libraries that made the file.
        created: ISO 8601 in UTC.
        labels: Class names in the order of the output's columns.
        handed_down: Fingerprints of the data that the models learned from which
            it went on from or was taught by.

    Raises:
        ModelLoadError: If temperature, threshold or margin are out of range.
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
    align: bool = False
    trade_off: tuple[OperatingPoint, ...] = ()
    labels: tuple[str, ...] = field(default=NAMES)
    handed_down: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ModelLoadError(f"temperature must be above 0, got {self.temperature!r}")
        if not 0 <= self.unsure_below <= 1:
            raise ModelLoadError(f"unsure_below must be in [0, 1], got {self.unsure_below!r}")
        if not -0.5 < self.face_margin < math.inf:
            raise ModelLoadError(f"face_margin must be above -0.5, got {self.face_margin!r}")

    @property
    def is_ensemble(self) -> bool:
        """Whether it holds several networks, and so no features that are its own."""
        return self.architecture == ENSEMBLE

    @property
    def synthetic(self) -> bool:
        """Whether the model learned from drawn faces only."""
        others = set(self.handed_down) - {str(self.dataset.get("fingerprint"))}
        return bool(self.dataset.get("synthetic")) and not others

    @property
    def learned_from(self) -> frozenset[str]:
        """Fingerprints of all data, as imported, that the model learned from.

        Its own, its members', and those of models that it went on from or was taught by.
        """
        found = {str(self.dataset.get("fingerprint")), *self.handed_down}
        for member in self.training.get("members", ()):
            found.update(member.get("learned_from", ()))
        return frozenset(found)

    @property
    def learned_from_words(self) -> str:
        """The titles of what the model, or its members, learned from."""
        members = self.training.get("members", ())
        known = [member["dataset"] for member in members] or [self.dataset]
        titles = [data_title(data) for data in known]
        if self.handed_down:
            titles.append("what the models learned from that it went on from or was taught by")
        return ", ".join(dict.fromkeys(titles))

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
            value["handed_down"] = tuple(value.get("handed_down", ()))
            value["trade_off"] = tuple(
                OperatingPoint(**point) for point in value.get("trade_off", ())
            )
            contract = cls(**value)
        except FileNotFoundError as error:
            raise ModelLoadError(f"{folder} holds no model: {CONTRACT} is missing") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
            raise ModelLoadError(f"{path} is damaged: {error!r}") from error
        if contract.labels != NAMES:
            raise ModelLoadError(
                f"{path} lists the labels {contract.labels}, expected {NAMES} in this order"
            )
        return contract


def data_title(data: Mapping[str, Any]) -> str:
    """What a dataset is called that a contract refers to: its title, else its name."""
    return str(data.get("title") or data.get("name") or "unknown data")
