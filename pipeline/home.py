"""Where FER Lab keeps what is not code: datasets, runs, sweeps, what it computed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folder that holds all local state, and the places in it."""

    root: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Home:
        """The home that `FERLAB_HOME` names, else the project's own folder."""
        environ = os.environ if environ is None else environ
        named = environ.get("FERLAB_HOME", "").strip()
        return cls(Path(named).expanduser().resolve() if named else PROJECT_ROOT)

    @property
    def data(self) -> Path:
        """Imported datasets, one folder each."""
        return self.root / "data"

    @property
    def runs(self) -> Path:
        """Training runs, one folder each."""
        return self.root / "runs"

    @property
    def ensembles(self) -> Path:
        """Models made of several others, one folder each."""
        return self.root / "ensembles"

    @property
    def cache(self) -> Path:
        """What can be computed again: predictions, maps; may be deleted at any time."""
        return self.root / "cache"

    @property
    def sweeps(self) -> Path:
        """Hyperparameter searches: their database and the logs of their workers."""
        return self.root / "sweeps"


SHIPPED_MODELS = PROJECT_ROOT / "models"
