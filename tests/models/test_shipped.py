"""The models that ship: complete, honest, small, and of nobody's face."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import DatasetStore, Split
from pipeline.evaluation import evaluate
from pipeline.evaluation.release import probe_faces
from pipeline.evaluation.stored import stored_reports
from pipeline.home import SHIPPED_MODELS, Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import (
    CONTRACT,
    EVALUATION,
    MODEL_CARD,
    MODEL_KERAS,
    MODEL_ONNX,
    ModelContract,
)
from pipeline.recognition.probes import PROBES, Probes
from pipeline.training.config import TrainingConfig
from pipeline.training.model_card import training_command
from pipeline.training.presets import PRESETS

FOLDERS = sorted(path for path in SHIPPED_MODELS.iterdir() if path.is_dir())
FILES = {CONTRACT, EVALUATION, MODEL_CARD, MODEL_KERAS, MODEL_ONNX, PROBES}
MOST_BYTES = 15e6

shipped = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def test_a_newcomer_has_a_model_and_it_is_small(tmp_path: Path) -> None:
    active = ModelCatalog(Home(tmp_path)).active()
    assert active is not None
    assert active.origin == "shipped"
    assert not active.contract().synthetic
    files = [path for folder in FOLDERS for path in folder.iterdir()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


@shipped
def test_folder_is_complete_and_the_networks_agree(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    classifier = EmotionClassifier.load(folder)  # scores its probes as in training
    assert classifier.contract.name == folder.name
    np.testing.assert_array_equal(Probes.load(folder).faces, probe_faces())


@pytest.mark.xdist_group("tensorflow")
@shipped
def test_keras_network_opens_without_this_project(folder: Path) -> None:
    import keras

    model = keras.saving.load_model(folder / MODEL_KERAS, custom_objects={})
    probes = Probes.load(folder)
    scores = np.asarray(model(probes.inputs.astype(np.float32), training=False))
    np.testing.assert_allclose(scores, probes.scores, atol=1e-4)


@shipped
def test_card_and_reports_say_the_same(folder: Path) -> None:
    contract = ModelContract.load(folder)
    card = (folder / MODEL_CARD).read_text()
    reports = stored_reports(folder)
    assert set(reports) == {Split.VALIDATION, Split.TEST}
    for report in reports.values():
        assert report.model == folder.name
        assert report.dataset.fingerprint == contract.dataset["fingerprint"]
        assert f"{report.accuracy * 100:.2f} %" in card
    recipe = TrainingConfig.from_dict(contract.training)
    assert training_command(recipe, contract.dataset["name"]) in card


def test_a_preset_trains_the_model_that_is_served_first(tmp_path: Path) -> None:
    active = ModelCatalog(Home(tmp_path)).active()
    assert active is not None
    trained = TrainingConfig.from_dict(active.contract().training)
    assert replace(trained, start_from="") in [preset.config for preset in PRESETS]


@pytest.mark.real_data
@shipped
def test_evaluation_reproduces_the_stored_figures(folder: Path, real_store: DatasetStore) -> None:
    classifier = EmotionClassifier.load(folder)
    dataset = real_store.open("fer2013")
    for split, stored in stored_reports(folder).items():
        found = evaluate(classifier, dataset, split)
        assert found.accuracy == pytest.approx(stored.accuracy, abs=1e-3)
        assert found.macro_f1 == pytest.approx(stored.macro_f1, abs=1e-3)
        assert found.clean.accuracy == pytest.approx(stored.clean.accuracy, abs=1e-3)
