"""What is compared: runs and shipped models as plain data. No Streamlit in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.training import fields
from pipeline.dataset import Split
from pipeline.errors import PipelineError
from pipeline.evaluation.report import EvaluationReport
from pipeline.evaluation.stored import stored_reports
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract
from pipeline.runs import Run

MOST = 8

# Told apart on light and on dark ground and by colour-blind eyes, with the marker's shape to help;
# none is the colour of an emotion.
_COLORS = (
    *("#6266DA", "#D1495B", "#1E9E8A", "#B07C0C"),
    *("#A04EC4", "#3B8FD4", "#6E9A2E", "#C2608F"),
)
_SYMBOLS = (
    *("circle", "diamond", "square", "triangle-up"),
    *("x", "star", "triangle-down", "pentagon"),
)
_DATA = ("dataset", "overlay_version")
_IRRELEVANT = frozenset({"dataset_fingerprint", "edited_fingerprint", "votes_fingerprint", "sweep"})


@dataclass(frozen=True)
class Subject:
    """A run or a shipped model; `None` where something is not known (yet).

    Attributes:
        name: The run's id, or the folder below `models/`.
        folder: Where it lies.
        color: `#rrggbb`, the same in all charts.
        symbol: Of its markers, as plotly calls it; likewise.
        network: The network's title.
        config: The settings of its training, by name.
        history: One entry per finished epoch.
        contract: Of its model, if it has one.
        reports: What its model came with.
        trouble: What of it cannot be read, one sentence; empty if all can.
    """

    name: str
    folder: Path
    color: str
    symbol: str
    network: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    contract: ModelContract | None = None
    reports: dict[Split, EvaluationReport] = field(default_factory=dict)
    trouble: str = ""

    @property
    def best(self) -> dict[str, Any]:
        """The entry of the epoch whose weights were kept; empty if there is none."""
        return next((item for item in reversed(self.history) if item.get("is_best")), {})

    @property
    def data_name(self) -> str:
        """The name of the dataset that it learned from."""
        trained_on = self.contract.dataset if self.contract else {}
        return str(self.config.get("dataset") or trained_on.get("name") or "?")

    @property
    def learned_from(self) -> frozenset[str | None]:
        """The fingerprints of all data that it learned from, as far as they are known."""
        return self.contract.learned_from if self.contract else frozenset({self.data_fingerprint})

    @property
    def data_fingerprint(self) -> str | None:
        """The fingerprint of the dataset that it learned from."""
        if self.contract is not None:
            return self.contract.dataset.get("fingerprint")
        return self.config.get("dataset_fingerprint")

    @property
    def val_accuracy(self) -> float | None:
        """Accuracy on validation, in `[0, 1]`: of the model, else of the kept epoch."""
        report = self.reports.get(Split.VALIDATION)
        return report.accuracy if report else self.best.get("val_accuracy")

    @property
    def val_macro_f1(self) -> float | None:
        """Macro-F1 on validation, in `[0, 1]`; likewise."""
        report = self.reports.get(Split.VALIDATION)
        return report.macro_f1 if report else self.best.get("val_macro_f1")

    @property
    def parameters(self) -> int | None:
        """The number of weights of its model."""
        return self.contract.num_parameters if self.contract else None

    @property
    def macs(self) -> int | None:
        """Multiply-accumulate operations of its model for one face."""
        return self.contract.num_macs if self.contract else None

    @property
    def latency_ms(self) -> float | None:
        """Median time for one face, milliseconds, where it was evaluated."""
        measured = [report.latency_ms for report in self.reports.values()]
        return next((value for value in measured if value is not None), None)

    @property
    def seconds(self) -> float | None:
        """How long its epochs took, in all."""
        return sum(item.get("seconds", 0.0) for item in self.history) if self.history else None


def read(
    names: Sequence[str], runs: Mapping[str, Run], models: Mapping[str, ModelEntry]
) -> list[Subject]:
    """Reads what is chosen; a damaged one says so and does not hide the others.

    Args:
        names: Of runs or models, each known to one of the two.
        runs: The runs by id.
        models: The models by name; of a run with a model, either will do.
    """
    found = []
    for place, name in enumerate(names):
        run = runs.get(name)
        folder = run.folder if run is not None else models[name].folder
        look = (name, folder, _COLORS[place], _SYMBOLS[place])
        try:
            found.append(Subject(*look, **(_of_run(run) if run else _of_model(folder))))
        except (PipelineError, KeyError, ValueError, TypeError, AttributeError) as error:
            found.append(Subject(*look, trouble=str(error)))
    return found


def differing(subjects: Sequence[Subject]) -> list[str]:
    """The names of the settings in which subjects differ, in the order of the form."""
    return [
        name
        for name in all_settings(subjects)
        if len({repr(item.config.get(name)) for item in subjects}) > 1
    ]


def all_settings(subjects: Sequence[Subject]) -> list[str]:
    """The names of all settings that a subject has, the data first, then as in the form."""
    known = {name for item in subjects for name in item.config} - _IRRELEVANT
    order = [*_DATA, *(name for names in fields.groups().values() for name in names)]
    return sorted(known, key=lambda name: order.index(name) if name in order else len(order))


def setting_rows(subjects: Sequence[Subject], names: Sequence[str]) -> list[dict[str, str]]:
    """Settings as a table: a row each, a column for each subject.

    Args:
        subjects: The columns.
        names: The settings.
    """
    return [
        {"setting": fields.title(name)}
        | {item.name: value_text(name, item.config.get(name)) for item in subjects}
        for name in names
    ]


def value_text(name: str, value: Any) -> str:
    """One setting's value as the interface writes it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, float):
        return f"{value:.3g}"
    if name == "dataset":
        return str(value)
    if name == "members":
        return ", ".join(str(member["name"]) for member in value)
    return fields.choice(name, value) if isinstance(value, str) else str(value)


def _of_run(run: Run) -> dict[str, Any]:
    config = run.config
    return {
        "network": fields.network(config["architecture"]),
        "config": config,
        "history": run.history,
        **({} if not run.has_model else _model_facts(run.folder)),
    }


def _of_model(folder: Path) -> dict[str, Any]:
    facts = _model_facts(folder)
    contract: ModelContract = facts["contract"]
    config = {**contract.training, "dataset": contract.dataset.get("name")}
    return {"network": fields.network(contract.architecture), "config": config, **facts}


def _model_facts(folder: Path) -> dict[str, Any]:
    return {"contract": ModelContract.load(folder), "reports": stored_reports(folder)}
