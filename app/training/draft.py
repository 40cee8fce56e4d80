"""The training that is being put together: a small file in the home.

Like the other choices it outlives the tab, the browser and the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.training.fields import DEFAULTS
from pipeline.dataset.overlay import NO_EDITS
from pipeline.errors import ConfigError
from pipeline.files import read_json, write_json
from pipeline.home import Home
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig

_FILE = "training_draft.json"


@dataclass(frozen=True)
class Draft:
    """What the form holds.

    Attributes:
        dataset: The dataset's name; `None` means the active one.
        values: Every setting by name, each in its range; together they may
            still contradict.
        edits: Which edits of the dataset: `none`, `latest` or a version.
    """

    dataset: str | None = None
    values: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    edits: str = NO_EDITS


def load(home: Home) -> Draft:
    """The stored draft; what is damaged or out of its range takes the default."""
    try:
        stored = read_json(home.root / _FILE)
    except (OSError, ValueError):
        return Draft()
    if not isinstance(stored, dict) or not isinstance(stored.get("values"), dict):
        return Draft()
    dataset, edits = stored.get("dataset"), stored.get("edits")
    return Draft(
        dataset if isinstance(dataset, str) else None,
        _usable(stored["values"]),
        edits if isinstance(edits, str) else NO_EDITS,
    )


def change(home: Home, **values: Any) -> None:
    """Changes some settings and keeps the others."""
    draft = load(home)
    _save(home, replace(draft, values={**draft.values, **values}))


def choose_dataset(home: Home, name: str) -> None:
    """Changes what is trained on; edits are always those of one dataset."""
    _save(home, replace(load(home), dataset=name, edits=NO_EDITS))


def follow_active(home: Home) -> None:
    """Gives up the chosen dataset and its edits for the active dataset as imported."""
    draft = load(home)
    if draft.dataset is not None:
        _save(home, replace(draft, dataset=None, edits=NO_EDITS))


def choose_edits(home: Home, dataset: str, edits: str) -> None:
    """Changes which edits of a dataset are trained with: `none`, `latest` or a version."""
    _save(home, replace(load(home), dataset=dataset, edits=edits))


def fill(home: Home, config: Mapping[str, Any]) -> None:
    """Takes over the settings of a run's `config.json`, and its dataset with the edits.

    A preset names no dataset: what was chosen stays.
    """
    known = replace(load(home), values=_usable(config))
    if "dataset" in config:
        version = config.get("overlay_version")
        edits = NO_EDITS if version is None else str(version)
        known = replace(known, dataset=config["dataset"], edits=edits)
    _save(home, known)


def _usable(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(DEFAULTS)
    for name in DEFAULTS:
        if name in values and _is_allowed(name, values[name]):
            found[name] = values[name]
    return found


def _is_allowed(name: str, value: Any) -> bool:
    # A warm-up is fine by itself; whether it fits the rest is seen later.
    rest = {"schedule": "cosine", "epochs": 2000} if name == "warmup_epochs" else {}
    try:
        TrainingConfig.from_dict({**rest, name: value})
    except ConfigError:
        return False
    return name != "architecture" or value in architectures.names()


def _save(home: Home, draft: Draft) -> None:
    write_json(home.root / _FILE, asdict(draft))
