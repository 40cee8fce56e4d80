"""Which models there are, and which of them the dashboard serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import (
    AmbiguousRunError,
    ModelLoadError,
    RunNotFoundError,
    RunStateError,
    listed,
)
from pipeline.files import read_json, write_json
from pipeline.home import SHIPPED_MODELS, Home
from pipeline.recognition.contract import CONTRACT, MODEL_KERAS, MODEL_ONNX, ModelContract
from pipeline.runs import Run, RunStore

CHOICE = "active_model.json"


@dataclass(frozen=True)
class ModelEntry:
    """Where a complete model lies.

    Attributes:
        name: What it is called: the folder below `models/` or `ensembles/`,
            the run's id, or the last part of a path.
        folder: Holds what `recognition.contract` lists.
        origin: Whether it came with the program, from a run here, was put
            together here from others, or is somewhere else.
    """

    name: str
    folder: Path
    origin: Literal["shipped", "run", "ensemble", "path"]

    @property
    def reference(self) -> str:
        """What `ModelCatalog.resolve` takes to find this model again."""
        return str(self.folder) if self.origin == "path" else self.name

    def contract(self) -> ModelContract:
        """The model's contract.

        Raises:
            ModelLoadError: If it is damaged.
        """
        return ModelContract.load(self.folder)


class ModelCatalog:
    """The models that ship with the program, those of the finished runs, and the ensembles.

    Args:
        home: Holds runs, ensembles and the choice of the active model.
        shipped: The folder of the shipped models.

    Attributes:
        ensembles: The folder of the ensembles.
    """

    def __init__(self, home: Home, shipped: Path = SHIPPED_MODELS) -> None:
        self.ensembles = home.ensembles
        self._runs = RunStore(home.runs, shipped)
        self._choice = home.root / CHOICE
        self._shipped = shipped

    def list(self) -> list[ModelEntry]:
        """All complete models: the shipped, the runs, newest first, and the ensembles."""
        shipped = [ModelEntry(folder.name, folder, "shipped") for folder in _within(self._shipped)]
        runs = [ModelEntry(run.id, run.folder, "run") for run in self._runs.list() if run.has_model]
        made = [ModelEntry(folder.name, folder, "ensemble") for folder in _within(self.ensembles)]
        return [*shipped, *runs, *made]

    def is_taken(self, name: str) -> bool:
        """Whether a model, or a run that may become one, is called so."""
        return self._runs.is_taken(name)

    def resolve(self, text: str) -> ModelEntry:
        """Finds a model as people name it.

        Args:
            text: A folder's name below `models/` or `ensembles/`, a run's id or
                the beginning of one, or a path to a model's folder or to
                `model.onnx` or `model.keras` in it. Exact names come first.

        Raises:
            ModelLoadError: If nothing, something unfinished, or more than one
                run is meant.
        """
        known = self.list()
        for entry in known:
            if entry.name == text:
                return entry
        path = Path(text)
        if text and (path.name in (MODEL_ONNX, MODEL_KERAS) or (path / CONTRACT).is_file()):
            return _at_path(path)
        try:
            run = self._runs.get(text)
        except AmbiguousRunError as error:
            raise ModelLoadError(f"no model {text!r}: {error}") from error
        except RunNotFoundError as error:
            raise ModelLoadError(
                f"no model {text!r}: neither a path to a model's folder nor a run or one of the "
                f"models (there: {listed([entry.name for entry in known])})"
            ) from error
        if not run.has_model:
            raise ModelLoadError(
                f"run {run.id!r} has no model to serve yet: it is {run.state.status.value}"
            )
        return ModelEntry(run.id, run.folder, "run")

    def active(self) -> ModelEntry | None:
        """The model that the dashboard serves.

        It is the one last given to `activate`, if it is still there; else the
        first that ships; else the newest run on photographed faces, or if there
        is none an ensemble; else the same on drawn ones. The trials of a search
        come after all others of their faces: most are worse, and none was meant
        to be served.

        Returns:
            The model, or `None` while there is none at all.
        """
        chosen = self._chosen()
        if chosen is not None:
            return chosen
        usable: list[tuple[tuple[bool, bool, bool], ModelEntry]] = []
        for entry in self.list():
            try:
                is_synthetic = entry.contract().synthetic
                is_trial = entry.origin == "run" and Run(entry.name, entry.folder).sweep is not None
            except (ModelLoadError, RunStateError):
                continue  # a damaged model must not keep the dashboard from the others
            is_local = entry.origin != "shipped"
            usable.append(((is_local, is_local and is_synthetic, is_trial), entry))
        # `min` keeps the first of equals, which is the newest run if there is one.
        return min(usable, key=lambda pair: pair[0])[1] if usable else None

    def activate(self, text: str) -> ModelEntry:
        """Chooses the model that the dashboard serves from now on.

        Args:
            text: As for `resolve`.

        Raises:
            ModelLoadError: If there is no such model, or its contract is damaged.
        """
        entry = self.resolve(text)
        entry.contract()
        write_json(self._choice, {"model": entry.reference})
        return entry

    def _chosen(self) -> ModelEntry | None:
        try:
            entry = self.resolve(str(read_json(self._choice)["model"]))
            entry.contract()
        except (OSError, ValueError, KeyError, TypeError, ModelLoadError):
            return None  # never chosen, or deleted since
        return entry


def _within(parent: Path) -> list[Path]:
    """The complete models below a folder, by name; hidden ones are still being made."""
    folders = sorted(parent.iterdir()) if parent.is_dir() else []
    return [
        folder
        for folder in folders
        if (folder / CONTRACT).is_file() and not folder.name.startswith(".")
    ]


def _at_path(path: Path) -> ModelEntry:
    folder = (path.parent if path.name in (MODEL_ONNX, MODEL_KERAS) else path).resolve()
    if not (folder / CONTRACT).is_file():
        raise ModelLoadError(
            f"{folder} holds no {CONTRACT}: weights alone do not say what they were trained on; "
            "give the folder of a run or of an exported model"
        )
    return ModelEntry(folder.name, folder, "path")
