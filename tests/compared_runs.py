"""Runs to compare, made in milliseconds, without Keras: they answer where the brightest bar is."""

import shutil
from typing import Any

import numpy as np

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import Home
from pipeline.runs import Run, RunStatus, RunStore, write_history, write_state
from pipeline.runs.state import RunState
from pipeline.training.config import TrainingConfig
from tests.served_models import bar_faces, make_model

NUMBER = 210


def store_bars(home: Home, name: str = "bars", *, seed: int = 0) -> Dataset:
    """Seventy bars in each split, ten of each class."""
    labels = np.arange(NUMBER, dtype=np.uint8) % 7
    splits = np.repeat(np.arange(3, dtype=np.uint8), NUMBER // 3)
    store = DatasetStore(home.data)
    with store.writer(name) as writer:
        writer.append(bar_faces(labels, seed), labels, splits)
        writer.finish(title="Bars", source="test", kind="test")
    return store.open(name)


def store_run(
    home: Home,
    name: str,
    dataset: Dataset,
    *,
    blind_to: tuple[int, ...] = (),
    model: bool = True,
    **settings: Any,
) -> Run:
    """A run of two epochs, whose model is right on all bars but those that it never answers."""
    meta = dataset.meta
    config = TrainingConfig(**settings).to_dict() | {
        "dataset": dataset.name,
        "dataset_fingerprint": meta.fingerprint,
    }
    run = RunStore(home.runs).create(config, name=name)
    created = "2026-01-01T00:00:00+00:00"
    write_state(run, RunState(RunStatus.FINISHED if model else RunStatus.STOPPED, created))
    share = 1 - len(blind_to) / 7
    entry = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "val_macro_f1": 0.4, "seconds": 90.0}
    write_history(
        run,
        [
            {
                **entry,
                "epoch": epoch,
                "val_accuracy": share * epoch / 2,
                "learning_rate": 0.01,
                "is_best": True,
            }
            for epoch in (1, 2)
        ],
    )
    if model:
        trained = {"name": dataset.name, "synthetic": False, "fingerprint": meta.fingerprint}
        made = home.root / "made" / name
        make_model(made, name=name, blind_to=blind_to, dataset=trained, num_macs=100)
        shutil.copytree(made, run.folder, dirs_exist_ok=True)
    return run
