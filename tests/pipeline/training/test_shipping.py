from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import RunStateError
from pipeline.evaluation.stored import stored_reports
from pipeline.home import Home
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import MODEL_KERAS
from pipeline.runs import RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from tests.support import Ear

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tensorflow")]

CONFIG = TrainingConfig(architecture="simple_cnn", width=0.25, epochs=1, batch_size=32)


def test_ships_the_trained_model_smaller_and_scored_anew(
    home: Home, bars: Dataset, tmp_path: Path
) -> None:
    import keras

    from pipeline.training.session import train_run
    from pipeline.training.shipping import ship

    store, datasets = RunStore(home.runs), DatasetStore(home.data)
    run = worker.create(store, replace(CONFIG, teacher="fer-vgg"), bars)
    with pytest.raises(RunStateError, match="no model to ship"):
        ship(run, datasets, tmp_path / "models" / "small")
    train_run(run, datasets, Ear())

    folder = tmp_path / "models" / "small"
    reports = ship(run, datasets, folder)
    assert stored_reports(folder) == {report.split: report for report in reports.values()}
    shipped, trained = EmotionClassifier.load(folder), EmotionClassifier.load(run.folder)
    assert replace(shipped.contract, name=run.id).training == trained.contract.training
    assert shipped.contract.name == "small"
    assert shipped.contract.handed_down == trained.contract.handed_down != ()
    faces = bars.images[:50]
    np.testing.assert_allclose(
        shipped.scores(faces, calibrated=False).probabilities,
        trained.scores(faces, calibrated=False).probabilities,
        atol=5e-3,
    )
    size, before = ((place / MODEL_KERAS).stat().st_size for place in (folder, run.folder))
    assert size < 0.75 * before
    for weight in keras.saving.load_model(folder / MODEL_KERAS).get_weights():
        np.testing.assert_array_equal(weight, weight.astype(np.float16).astype(np.float32))
