from collections.abc import Callable
from typing import Any

import pytest

from pipeline.dataset import Dataset
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training.config import TrainingConfig
from pipeline.training.sweep import Sweep, SweepDefinition, SweepField, SweepStore

BASE = TrainingConfig(
    architecture="simple_cnn", width=0.25, epochs=2, batch_size=32, early_stopping=0
)


@pytest.fixture
def store(home: Home) -> SweepStore:
    return SweepStore.of(home, environ={})


@pytest.fixture
def make_sweep(home: Home, store: SweepStore, bars: Dataset) -> Callable[..., Sweep]:
    def make(name: str = "search", **changes: Any) -> Sweep:
        values: dict[str, Any] = {
            "base": BASE,
            "dataset": bars.name,
            "fingerprint": bars.meta.fingerprint,
            "has_votes": False,
            "fields": (SweepField("learning_rate", 1e-4, 1e-2, log=True),),
            "num_trials": 4,
        }
        definition = SweepDefinition(**{**values, **changes})
        return store.create(name, definition, RunStore(home.runs))

    return make
