from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from pipeline.dataset import Dataset, Split
from pipeline.errors import ConfigError, ExportError, ModelLoadError
from pipeline.evaluation import EvaluationReport, evaluate, predict
from pipeline.evaluation.augmented import augmented_scores
from pipeline.evaluation.ensemble_network import merge
from pipeline.evaluation.ensemble_package import delete_ensemble, save_ensemble
from pipeline.export import export_model
from pipeline.files import read_json
from pipeline.home import Home
from pipeline.preprocessing import Preprocessing
from pipeline.progress import Cancelled
from pipeline.recognition.catalog import ModelCatalog, ModelEntry
from pipeline.recognition.classifier import EmotionClassifier, with_temperature
from pipeline.recognition.contract import EVALUATION, MODEL_CARD, MODEL_ONNX
from pipeline.recognition.probes import Probes
from pipeline.runs import RunStore
from tests.served_models import (
    bar_faces,
    bar_weights,
    make_contract,
    make_model,
    softmax,
    write_network,
)

NUM_FACES = 5


@pytest.fixture
def catalog(tmp_path: Path) -> ModelCatalog:
    shipped = tmp_path / "shipped"
    data = {"name": "bars", "title": "Bars | of light", "synthetic": False, "fingerprint": "0"}
    make_model(shipped / "sharp", gain=0.2, temperature=1.7, dataset=data)
    lopsided(shipped / "lopsided")
    make_model(shipped / "large", preprocessing=Preprocessing(64))
    make_model(shipped / "equalised", preprocessing=Preprocessing(clahe=True))
    make_model(shipped / "equalised-too", preprocessing=Preprocessing(clahe=True), gain=0.1)
    make_model(shipped / "framed", face_margin=0.1)
    return ModelCatalog(Home(tmp_path / "home"), shipped)


def lopsided(folder: Path) -> None:
    """A model that sees the left half alone, so that a mirrored face is another to it."""
    folder.mkdir()
    weights = bar_weights(gain=0.1).reshape(48, 48, 7)
    weights[:, 24:] = 0
    weights = weights.reshape(-1, 7)
    write_network(folder / MODEL_ONNX, weights)
    contract = make_contract(name="lopsided", temperature=0.6)
    faces = bar_faces(np.arange(14) % 7, seed=1)
    inputs = contract.preprocessing.apply(faces)
    scores = softmax(inputs.reshape(len(inputs), -1).astype(np.float64) @ weights)
    Probes(faces, inputs, scores).save(folder)
    contract.save(folder)


def members(catalog: ModelCatalog, *names: str) -> list[ModelEntry]:
    return [catalog.resolve(name) for name in names or ("sharp", "lopsided")]


@pytest.mark.parametrize("views", ["none", "flip"])
def test_answers_as_its_members_do_on_average(
    catalog: ModelCatalog, bars: Dataset, views: str
) -> None:
    entry = save_ensemble(catalog, "pair", members(catalog), bars, views=views)
    joint = EmotionClassifier.load(entry.folder)
    # Crops as a camera gives them: resized, in colour.
    faces = np.random.default_rng(3).integers(0, 256, (NUM_FACES, 90, 90, 3), np.uint8)
    apart = [
        augmented_scores(EmotionClassifier.load(item.folder).scores, faces, views).probabilities
        for item in members(catalog)
    ]
    found = joint.scores(faces, calibrated=False).probabilities
    assert found == pytest.approx(np.mean(apart, axis=0), abs=1e-5)
    calibrated = with_temperature(found, joint.contract.temperature)
    assert joint.scores(faces).probabilities == pytest.approx(calibrated)
    assert len(joint.scores(faces[:0])) == 0


def test_a_mirrored_face_counts_only_if_asked_for(catalog: ModelCatalog, bars: Dataset) -> None:
    face = bar_faces(np.array([3]), seed=5)
    face[:, :, 24:] = 0
    mirrored = face[:, :, ::-1]
    scores = {}
    for views in ("none", "flip"):
        entry = save_ensemble(catalog, f"pair-{views}", members(catalog), bars, views=views)
        joint = EmotionClassifier.load(entry.folder)
        scores[views] = [joint.scores(item).probabilities for item in (face, mirrored)]
    assert scores["flip"][0] == pytest.approx(scores["flip"][1], abs=1e-6)
    assert np.abs(scores["none"][0] - scores["none"][1]).max() > 0.005


def test_is_a_model_like_any_other(catalog: ModelCatalog, bars: Dataset) -> None:
    entry = save_ensemble(catalog, "pair", members(catalog), bars, views="flip")
    assert [(item.name, item.origin) for item in catalog.list()][-1] == ("pair", "ensemble")
    assert catalog.resolve("pair") == entry == catalog.activate("pair") == catalog.active()
    contract = entry.contract()
    assert contract.architecture == "ensemble"
    assert (contract.num_parameters, contract.num_macs) == (2, 4)
    assert [item["name"] for item in contract.training["members"]] == ["sharp", "lopsided"]
    assert contract.dataset["fingerprint"] == bars.meta.fingerprint
    learned_from = {
        bars.meta.fingerprint,
        *(item.contract().dataset["fingerprint"] for item in members(catalog)),
    }
    assert contract.learned_from == learned_from
    stored = {
        split: EvaluationReport.from_dict(value)
        for split, value in read_json(entry.folder / EVALUATION).items()
    }
    again = evaluate(EmotionClassifier.load(entry.folder), bars, Split.TEST)
    assert stored["test"].confusion_matrix == again.confusion_matrix
    assert stored["test"].nll == pytest.approx(again.nll)
    assert stored["test"].threshold == contract.unsure_below
    assert set(stored) == {"validation", "test"}
    card = (entry.folder / MODEL_CARD).read_text()
    assert "| sharp | `dense` |" in card
    assert "mirror image" in card


def test_its_own_temperature_mends_the_mean(catalog: ModelCatalog, bars: Dataset) -> None:
    entry = save_ensemble(catalog, "pair", members(catalog), bars)
    joint = EmotionClassifier.load(entry.folder)
    indices = bars.indices(Split.VALIDATION)
    raw = joint.scores(bars.images[indices], calibrated=False).probabilities
    fitted = predict(joint, bars, Split.VALIDATION).probabilities
    truth = np.arange(len(indices)), bars.labels[indices]
    assert np.log(fitted[truth]).mean() > np.log(raw[truth]).mean()


def test_equalised_faces_can_be_shared(catalog: ModelCatalog, bars: Dataset) -> None:
    entry = save_ensemble(catalog, "x", members(catalog, "equalised", "equalised-too"), bars)
    assert EmotionClassifier.load(entry.folder).contract.preprocessing == Preprocessing(clahe=True)


def test_an_ensemble_can_be_a_member(catalog: ModelCatalog, bars: Dataset) -> None:
    pair = save_ensemble(catalog, "pair", members(catalog), bars, views="flip")
    entry = save_ensemble(catalog, "more", [pair, catalog.resolve("sharp")], bars)
    scores = EmotionClassifier.load(entry.folder).scores(bars.images[:3], calibrated=False)
    apart = [
        EmotionClassifier.load(item.folder).scores(bars.images[:3]).probabilities
        for item in (pair, catalog.resolve("sharp"))
    ]
    assert scores.probabilities == pytest.approx(np.mean(apart, axis=0), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "names", "views", "message"),
    [
        ("No Good", ("sharp", "lopsided"), "none", "cannot name a model"),
        ("sharp", ("sharp", "lopsided"), "none", "a run or model named 'sharp' already"),
        ("x", ("sharp",), "none", "2 members or more, got 1"),
        ("x", ("sharp", "sharp"), "none", "twice"),
        ("x", ("sharp", "lopsided"), "ten_crop", "before it is resized"),
        ("x", ("sharp", "large"), "none", "sharp: 48 pixels.*large: 64 pixels"),
        ("x", ("sharp", "equalised"), "none", "equalised: 48 pixels, margin 0, with CLAHE"),
        ("x", ("sharp", "framed"), "none", "margin 0.1"),
        ("x", ("equalised", "equalised-too"), "flip", "without the mirror image"),
    ],
)
def test_what_cannot_be_one_model_is_refused(
    catalog: ModelCatalog,
    bars: Dataset,
    name: str,
    names: tuple[str, ...],
    views: str,
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        save_ensemble(catalog, name, members(catalog, *names), bars, views=views)
    assert not catalog.ensembles.exists()


def test_cancelled_saving_leaves_nothing(catalog: ModelCatalog, bars: Dataset) -> None:
    def stop(done: float, total: float | None, text: str = "") -> None:
        if text == "evaluating test":
            raise Cancelled

    with pytest.raises(Cancelled):
        save_ensemble(catalog, "pair", members(catalog), bars, progress=stop)
    assert {path.suffix for path in catalog.ensembles.iterdir()} == {".lock"}


def test_name_of_a_run_without_a_model_is_taken_too(catalog: ModelCatalog, bars: Dataset) -> None:
    RunStore(catalog.ensembles.parent / "runs").create({}, name="young")
    with pytest.raises(ConfigError, match="a run or model named 'young' already"):
        save_ensemble(catalog, "young", members(catalog), bars)


def test_one_name_is_made_once_at_a_time(catalog: ModelCatalog, bars: Dataset) -> None:
    def meanwhile(done: float, total: float | None, text: str = "") -> None:
        with pytest.raises(ConfigError, match="'pair' is being made already"):
            save_ensemble(catalog, "pair", members(catalog), bars)

    save_ensemble(catalog, "pair", members(catalog), bars, progress=meanwhile)
    assert catalog.resolve("pair").origin == "ensemble"


def test_half_made_ones_are_not_listed(catalog: ModelCatalog) -> None:
    make_model(catalog.ensembles / ".pair.12345678.incoming")
    assert "ensemble" not in {entry.origin for entry in catalog.list()}


def test_deleted_for_good(catalog: ModelCatalog, bars: Dataset) -> None:
    save_ensemble(catalog, "pair", members(catalog), bars)
    delete_ensemble(catalog, "pair")
    assert {path.suffix for path in catalog.ensembles.iterdir()} == {".lock"}
    for name in ("pair", "sharp"):
        with pytest.raises(ModelLoadError, match=f"no ensemble '{name}'"):
            delete_ensemble(catalog, name)
    assert catalog.resolve("sharp").folder.exists()


def test_exists_as_onnx_only(catalog: ModelCatalog, bars: Dataset, tmp_path: Path) -> None:
    entry = save_ensemble(catalog, "pair", members(catalog), bars)
    with pytest.raises(ExportError, match="an ensemble exists as ONNX only"):
        export_model(entry.folder, "h5", tmp_path / "pair.h5")
    out = export_model(entry.folder, "onnx", tmp_path / "pair.onnx")
    assert out.read_bytes() == (entry.folder / MODEL_ONNX).read_bytes()


def test_networks_of_other_versions_are_joined(tmp_path: Path) -> None:
    networks = []
    for opset in (13, 17):
        write_network(tmp_path / "network.onnx", bar_weights())
        network = onnx.load(tmp_path / "network.onnx")
        network.opset_import[0].version = opset
        networks.append(network)
    joint = merge(networks, [1.0, 1.0], size=48, views="flip")
    session = onnxruntime.InferenceSession(
        joint.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    faces = bar_faces(np.arange(4))[..., None].astype(np.float32)
    (scores,) = session.run(None, {"faces": faces})
    expected = softmax(faces.reshape(4, -1).astype(np.float64) @ bar_weights())
    mirrored = softmax(faces[:, :, ::-1].reshape(4, -1).astype(np.float64) @ bar_weights())
    assert scores == pytest.approx((expected + mirrored) / 2, abs=1e-5)


def test_a_network_with_two_outputs_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path / "network.onnx", bar_weights())
    network = onnx.load(tmp_path / "network.onnx")
    network.graph.output.append(onnx.ValueInfoProto(name="logits"))
    with pytest.raises(ModelLoadError, match="cannot be joined: expected one input and one output"):
        merge([network, network], [1.0, 1.0], size=48)
