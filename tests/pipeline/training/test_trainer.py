import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.dataset import Dataset
from pipeline.errors import ConfigError, RunStateError, TrainingError
from pipeline.home import Home
from pipeline.runs import Run, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from tests.support import Ear

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]

# Everything that has a state of its own: dropout, momentum, schedule, average, mixup.
CONFIG = TrainingConfig(
    architecture="simple_cnn",
    width=0.25,
    epochs=4,
    batch_size=32,
    optimizer="sgd",
    learning_rate=0.02,
    schedule="cosine",
    warmup_epochs=1.0,
    ema=0.9,
    mixup=0.2,
    flip=False,
)


def new_run(home: Home, dataset: Dataset, config: TrainingConfig) -> Run:
    return worker.create(RunStore(home.runs), config, dataset)


def train(
    run: Run, dataset: Dataset, config: TrainingConfig, stop_in_epoch: int = 0
) -> tuple[Any, Ear]:
    from pipeline.training.trainer import Trainer

    ear = Ear()
    model = Trainer(run, config, dataset, ear, lambda: len(ear.epochs) + 1 == stop_in_epoch).train()
    return model, ear


FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1", "learning_rate")


def figures(history: list[dict[str, float]]) -> np.ndarray:
    return np.array([[entry[key] for key in FIGURES] for entry in history])


def test_the_pace_leaves_out_the_batch_in_which_the_backend_compiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipeline.training import trainer

    ear, clock = Ear(), iter([0.0, 30.0, 31.0])
    monkeypatch.setattr(trainer.time, "monotonic", lambda: next(clock))
    config = replace(CONFIG, epochs=2, batch_size=10)
    monitor = trainer._BatchMonitor(0, config, 40, ear, lambda: False)
    monitor.on_train_batch_end(0)
    monitor.on_train_batch_end(1)
    assert [batch["images_per_second"] for batch in ear.batches] == [10.0]
    assert ear.batches[0]["eta_seconds"] == 6.0


def test_resumed_training_equals_an_unbroken_one(home: Home, bars: Dataset) -> None:
    whole, broken = (new_run(home, bars, CONFIG) for _ in range(2))
    model, _ = train(whole, bars, CONFIG)
    _, ear = train(broken, bars, CONFIG, stop_in_epoch=3)
    assert len(ear.epochs) == len(broken.history) == 2
    resumed, ear = train(broken, bars, CONFIG)
    assert [entry["epoch"] for entry in ear.epochs] == [3, 4]
    np.testing.assert_allclose(figures(broken.history), figures(whole.history), atol=1e-5)
    for mine, theirs in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_history_survives_a_kill_between_checkpoint_and_history(home: Home, bars: Dataset) -> None:
    config = replace(CONFIG, epochs=2)
    run = new_run(home, bars, config)
    train(run, bars, config, stop_in_epoch=2)
    (run.folder / "history.jsonl").write_text('{"epoch": 1, "torn')
    train(run, bars, config)
    assert [entry["epoch"] for entry in run.history] == [1, 2]


def test_it_learns_and_returns_the_best_epoch(home: Home, bars: Dataset) -> None:
    config = TrainingConfig(
        architecture="simple_cnn", width=0.25, epochs=8, batch_size=16, learning_rate=0.003,
        shift=0.0, flip=False, dropout=0.0, monitor="val_loss",
    )  # fmt: skip
    run = new_run(home, bars, config)
    model, ear = train(run, bars, config)
    best = min(ear.epochs, key=lambda entry: entry["val_loss"])
    assert run.best == best
    assert best["val_accuracy"] > 0.9
    chosen = bars.split_codes == 1
    scores = model.predict(np.asarray(bars.images[chosen])[..., None], verbose=0)
    accuracy = float((scores.argmax(axis=1) == bars.labels[chosen]).mean())
    assert accuracy == pytest.approx(best["val_accuracy"], abs=1e-6)
    assert run.environment["dataset"]["fingerprint"] == bars.meta.fingerprint
    assert ear.batches[-1]["step"] == ear.batches[-1]["steps"] == 14


def test_warmup_and_cosine_reach_the_rate_and_fall(home: Home, bars: Dataset) -> None:
    run = new_run(home, bars, CONFIG)
    train(run, bars, CONFIG)
    rates = [entry["learning_rate"] for entry in run.history]
    assert rates[0] == 0
    assert rates[1] == pytest.approx(0.02)
    assert rates[1] > rates[2] > rates[3] > 0


def test_plateau_halves_the_rate_and_early_stopping_ends(home: Home, bars: Dataset) -> None:
    # A rate this small changes no prediction, so nothing improves after the first epoch.
    config = replace(
        CONFIG, epochs=20, learning_rate=1e-7, schedule="plateau", warmup_epochs=0.0,
        plateau_patience=2, early_stopping=5, ema=0.0, optimizer="sgd", monitor="val_accuracy",
    )  # fmt: skip
    run = new_run(home, bars, config)
    train(run, bars, config)
    rates = np.array([entry["learning_rate"] for entry in run.history])
    after_best = len(run.history) - run.best["epoch"]
    assert after_best == 5
    assert rates[-1] == pytest.approx(rates[0] / 4)


def test_training_stopped_before_the_first_epoch_has_no_model(home: Home, bars: Dataset) -> None:
    run = new_run(home, bars, CONFIG)
    model, ear = train(run, bars, CONFIG, stop_in_epoch=1)
    assert model is None
    assert run.history == ear.epochs == []


def test_broken_loss_is_told(home: Home, bars: Dataset) -> None:
    config = replace(CONFIG, learning_rate=10.0, warmup_epochs=0.0, schedule="constant",
                     label_smoothing=0.0, l2=0.1)  # fmt: skip
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(new_run(home, bars, replace(config, epochs=40, early_stopping=0)), bars,
              replace(config, epochs=40, early_stopping=0))  # fmt: skip


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy", "val_macro_f1"])
def test_weights_that_are_no_numbers_after_the_last_step_are_told_whatever_is_monitored(
    home: Home, bars: Dataset, monkeypatch: pytest.MonkeyPatch, monitor: str
) -> None:
    import keras

    def predict(model: object, images: np.ndarray, *args: object, **options: object) -> np.ndarray:
        return np.full((len(images), 7), np.nan, np.float32)

    # The loss of a step is that before its update: the last one's update can still diverge.
    monkeypatch.setattr(keras.Model, "predict", predict)
    config = replace(CONFIG, epochs=2, monitor=monitor)
    run = new_run(home, bars, config)
    with pytest.raises(TrainingError, match="val_loss is not a number after epoch 1: lower"):
        train(run, bars, config)
    assert not [*run.folder.glob("checkpoints/*")]


def test_checkpoint_of_another_network_is_refused(home: Home, bars: Dataset) -> None:
    config = replace(CONFIG, epochs=2)
    run = new_run(home, bars, config)
    train(run, bars, config, stop_in_epoch=2)
    with pytest.raises(RunStateError, match="does not fit the network"):
        train(run, bars, replace(config, width=0.5))


def test_dataset_without_validation_is_refused(home: Home, bars: Dataset) -> None:
    codes = np.zeros_like(bars.split_codes)
    with pytest.raises(ConfigError, match="0 images in its validation split"):
        train(new_run(home, bars, CONFIG), replace(bars, split_codes=codes), CONFIG)


def test_only_the_newest_checkpoint_and_the_best_weights_are_kept(
    home: Home, bars: Dataset
) -> None:
    run = new_run(home, bars, CONFIG)
    # As a process leaves them that is killed while it writes.
    (run.folder / "checkpoints" / ".epoch-0009.tmp").mkdir(parents=True)
    (run.folder / "checkpoints" / ".best-0005.npz.01234567.tmp").write_bytes(b"half")
    train(run, bars, CONFIG)
    files = sorted(path.name for path in (run.folder / "checkpoints").iterdir())
    assert files == [f"best-{run.best['epoch']:04d}.npz", "epoch-0004"]
    state = json.loads((run.folder / "checkpoints/epoch-0004/state.json").read_text())
    assert state["history"] == run.history
