import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.errors import ConfigError, ModelLoadError
from pipeline.evaluation import predict
from pipeline.home import Home
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from pipeline.training.distillation import teacher_scores
from pipeline.training.targets import targets
from tests.served_models import make_model
from tests.support import Ear


@pytest.fixture
def teacher(home: Home) -> Path:
    return make_model(home.root / "somewhere" / "teacher", gain=0.01)


@pytest.fixture
def new_run(home: Home, bars: Dataset, teacher: Path) -> Callable[..., Run]:
    def make(**changes: object) -> Run:
        config = TrainingConfig(architecture="simple_cnn", teacher=str(teacher), **changes)
        return worker.create(RunStore(home.runs), config, bars)

    return make


def test_asks_the_teacher_for_both_views_and_remembers(
    new_run: Callable[..., Run], home: Home, bars: Dataset, teacher: Path
) -> None:
    run = new_run()
    scores = teacher_scores(run, str(teacher), home, bars)
    expected = predict(EmotionClassifier.load(teacher), bars, Split.TRAIN, tta="flip")
    np.testing.assert_allclose(scores, expected.probabilities, atol=1e-6)
    teacher.rename(teacher.with_name("gone"))
    np.testing.assert_array_equal(teacher_scores(run, str(teacher), home, bars), scores)
    with pytest.raises(ModelLoadError, match="no model"):
        teacher_scores(new_run(), str(teacher), home, bars)


def test_remembered_answers_of_other_images_are_refused(
    new_run: Callable[..., Run], home: Home, bars: Dataset, teacher: Path
) -> None:
    run = new_run()
    teacher_scores(run, str(teacher), home, bars)
    more = replace(bars, split_codes=np.zeros(len(bars), np.uint8))
    with pytest.raises(ConfigError, match="210 images, but the dataset has 350"):
        teacher_scores(run, str(teacher), home, more)
    (run.folder / "teacher.npz").write_bytes(b"torn")
    with pytest.raises(ConfigError, match="is damaged: delete it"):
        teacher_scores(run, str(teacher), home, bars)


@pytest.mark.xdist_group("tensorflow")
@pytest.mark.parametrize("subset", [1.0, 0.3])
def test_targets_lie_between_label_and_teacher(bars: Dataset, subset: float) -> None:
    from pipeline.training.trainer import TrainingData

    # The teacher says of each image which one it is, so that a mix-up would be seen.
    own = np.random.default_rng(0).dirichlet(np.ones(7), 210).astype(np.float32)
    config = TrainingConfig(teacher="x", distillation=0.25, subset=subset)
    plain, taught = (TrainingData.load(bars, config, scores) for scores in (None, own))
    np.testing.assert_array_equal(taught.images, plain.images)
    answers = (taught.targets - 0.75 * plain.targets) / 0.25
    which = np.array([np.abs(own - row).sum(axis=1).argmin() for row in answers])
    np.testing.assert_allclose(answers, own[which], atol=1e-5)
    np.testing.assert_array_equal(bars.images[which], taught.images[..., 0])
    np.testing.assert_array_equal(targets(bars, which), plain.targets)


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
def test_a_session_learns_from_its_teacher(
    new_run: Callable[..., Run], home: Home, bars: Dataset, teacher: Path
) -> None:
    from pipeline.training.session import train_run

    run = new_run(epochs=1, width=0.25, distillation=1.0)
    train_run(run, DatasetStore(home.data), Ear())
    with np.load(run.folder / "teacher.npz") as kept:
        # All that it learns is the teacher: the loss is not below the teacher's own entropy.
        entropy = -(kept["scores"] * np.log(kept["scores"])).sum(axis=1).mean()
    assert run.history[0]["loss"] > entropy > 0.5
    assert run.has_model


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
def test_a_stop_need_not_wait_for_the_teacher(
    new_run: Callable[..., Run], home: Home, bars: Dataset
) -> None:
    from pipeline.training.session import train_run

    def stop(done: float, total: float | None, text: str = "") -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    run = new_run(epochs=1, width=0.25)
    assert train_run(run, DatasetStore(home.data), Ear(), stop) is RunStatus.STOPPED
    assert not (run.folder / "teacher.npz").exists()
    assert run.state.reason == "stopped on request"
