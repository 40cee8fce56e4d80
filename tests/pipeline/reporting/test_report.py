import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.core import Edits
from pipeline.errors import DatasetError
from pipeline.evaluation import EvaluationReport, evaluate
from pipeline.evaluation.stress import StressStore
from pipeline.files import write_json
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import EVALUATION
from pipeline.reporting import Material, compose, gather, render
from pipeline.reporting.blocks import Document, Figures, Pictures, Table
from pipeline.reporting.content import figures, notes
from tests.served_models import bar_faces, make_model

EVIL = "<b onmouseover=alert(1)>bars</b>"


@pytest.fixture
def noisy(tmp_path: Path) -> Dataset:
    """Bars of which every fifth has a wrong label, and votes that know better."""
    truth = np.arange(280) % 7
    labels = np.where(np.arange(280) % 5 == 0, (truth + 1) % 7, truth).astype(np.uint8)
    images = bar_faces(truth)
    images[210:217] = images[:7]
    store = DatasetStore(tmp_path / "data")
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), [140, 70, 70]))
        writer.finish(title=EVIL, source="/home/somebody/bars.csv", kind="csv")
    return store.open("bars")


@pytest.fixture
def entry(tmp_path: Path, noisy: Dataset) -> ModelEntry:
    trained = {"name": "bars", "title": EVIL, "fingerprint": noisy.meta.fingerprint}
    folder = make_model(
        tmp_path / "model", gain=0.2, temperature=2.0, unsure_below=0.4, dataset=trained
    )
    classifier = EmotionClassifier.load(folder)
    stored = {
        split.value: evaluate(classifier, noisy, split).to_dict()
        for split in (Split.VALIDATION, Split.TEST)
    }
    write_json(folder / EVALUATION, stored)
    return ModelEntry(EVIL, folder, "run")


@pytest.fixture
def material(entry: ModelEntry, noisy: Dataset, tmp_path: Path) -> Material:
    return gather(entry, noisy, Split.TEST, cache=tmp_path / "cache")


def titles(document: Document) -> list[str]:
    return [section.title for section in document.sections]


def tables(document: Document, title: str) -> list[Table]:
    (section,) = [item for item in document.sections if item.title == title]
    return [block for block in section.blocks if isinstance(block, Table)]


def test_figures_are_those_of_the_evaluation(material: Material, entry: ModelEntry) -> None:
    report = EvaluationReport.from_dict(material.report.to_dict())
    document = compose(material)
    (shown,) = [block for block in document.sections[0].blocks if isinstance(block, Figures)]
    values = {item.title: item for item in shown.figures}
    assert values["Accuracy"].value == f"{100 * report.accuracy:.1f} %"
    low, high = report.accuracy_ci95
    assert values["Accuracy"].below == f"95 %: {100 * low:.1f} to {100 * high:.1f} %"
    assert values["Clean accuracy, 63 images"].value == f"{100 * report.clean.accuracy:.1f} %"
    assert values["Macro-F1"].value == f"{100 * report.macro_f1:.1f} %"
    (matrix,) = tables(document, "Where it fails")
    counts = [[int(cell) for cell in row[1:8]] for row in matrix.rows]
    assert np.array_equal(counts, report.confusion_matrix)
    (classes,) = tables(document, "By class")
    assert [row[4] for row in classes.rows] == [
        str(score.support) for score in report.per_class.values()
    ]
    assert [row[1] for row in classes.rows] == [
        f"{100 * score.precision:.1f} %" for score in report.per_class.values()
    ]


def test_both_forms_hold_the_same_figures(material: Material) -> None:
    document = compose(material)
    page, text = render(document, ".html"), render(document, ".md")
    for figure in figures(material.report):
        assert figure.value in page
        assert figure.value in text


def test_page_asks_for_nothing_and_believes_no_name(material: Material) -> None:
    page = render(compose(material, num_mistakes=3), ".html")
    assert "<b onmouseover" not in page
    assert "&lt;b onmouseover=alert(1)&gt;bars&lt;/b&gt;" in page
    links = re.findall(r"""(?:src|href|action|data|poster|srcset)\s*=\s*["']?([^"'\s>]*)""", page)
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert not re.search(r"url\(|@import|<script|<link|<iframe|<object", page)
    anchors = {link[1:] for link in links if link.startswith("#")}
    assert anchors == set(re.findall(r'<section id="([a-z-]+)">', page))
    assert "/home/somebody" not in page


def test_stored_figures_make_a_report_without_the_dataset(
    entry: ModelEntry, tmp_path: Path, material: Material
) -> None:
    found = gather(entry, None, Split.TEST, cache=tmp_path / "cache")
    assert replace(found.report, latency_ms=None) == replace(material.report, latency_ms=None)
    document = compose(found, num_mistakes=5)
    assert "Most confident mistakes" not in titles(document)
    assert {"Summary", "Calibration", "When it says “unsure”", "Model"} <= set(titles(document))
    assert any("figures that were stored" in text for text in notes(found))
    with pytest.raises(DatasetError, match=r"validation \(augmentation none\).*not on train"):
        gather(entry, None, Split.TRAIN, cache=tmp_path / "cache")
    with pytest.raises(DatasetError, match="augmentation flip"):
        gather(entry, None, Split.TEST, cache=tmp_path / "cache", tta="flip")


def test_faces_are_shown_only_if_asked_for(material: Material) -> None:
    assert "Most confident mistakes" not in titles(compose(material))
    (section,) = [
        item
        for item in compose(material, num_mistakes=4).sections
        if item.title == "Most confident mistakes"
    ]
    (shown,) = [block for block in section.blocks if isinstance(block, Pictures)]
    assert len(shown.pictures) == 4
    assert all(picture.png.startswith(b"\x89PNG") for picture in shown.pictures)
    # The label follows the truth by one, and the model answers the truth.
    assert re.fullmatch(r"(\w+), called (\w+) \(\d+%\)", shown.pictures[0].caption)


def test_dataset_card_counts_twins_and_votes(
    material: Material, noisy: Dataset, entry: ModelEntry, tmp_path: Path
) -> None:
    text = render(compose(material), ".md")
    assert "7 of 70 images (10.0 %) are pixel-identical to a training image" in text
    assert "FER+ taggers" not in text
    truth = np.arange(280) % 7
    votes = np.zeros((280, 10), np.uint8)
    # FER+ has its own order of the emotions: neutral, happy, surprise, sad, angry, disgust, fear.
    votes[np.arange(280), np.array([4, 5, 6, 1, 3, 2, 0])[truth]] = 10
    store = DatasetStore(tmp_path / "data")
    store.attach_votes("bars", votes, "votes.csv")
    voted = gather(entry, store.open("bars"), Split.TEST, cache=tmp_path / "cache")
    text = render(compose(voted), ".md")
    assert "In 56 of 280 images more than half of the FER+ taggers" in text


def test_stress_is_told_if_it_was_measured(
    material: Material, entry: ModelEntry, noisy: Dataset, tmp_path: Path
) -> None:
    assert "Robustness" not in titles(compose(material))
    measured = StressStore(tmp_path / "cache").get(entry.folder, noisy, Split.TEST)
    again = gather(entry, noisy, Split.TEST, cache=tmp_path / "cache")
    document = compose(again)
    (table,) = tables(document, "Robustness")
    assert len(table.rows) == len(measured.corruptions)
    first = next(iter(measured.corruptions.values()))
    assert table.rows[0][1] == f"{100 * first.accuracy[0]:.1f} %"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "0"}, "trained on other data"),
        ({"synthetic": True}, "Drawn faces"),
    ],
)
def test_what_must_be_known_first_is_said(
    material: Material, change: dict[str, object], words: str
) -> None:
    assert notes(material) == []
    contract = replace(material.contract, dataset={**material.contract.dataset, **change})
    changed = replace(material, contract=contract)
    assert any(words in text for text in notes(changed))
    assert words in render(compose(changed), ".md")


def test_ensemble_calibrated_here_may_have_members_from_elsewhere(material: Material) -> None:
    members = [{"dataset": {"title": "Posed faces"}, "learned_from": ["0"]}]
    contract = replace(material.contract, training={"members": members})
    (said,) = notes(replace(material, contract=contract))
    assert said.startswith("Members of the model were trained on other data (Posed faces).")


def test_how_it_was_made_is_told(material: Material) -> None:
    from pipeline.training.config import TrainingConfig

    config = TrainingConfig(architecture="simple_cnn", epochs=3)
    made = replace(material, contract=replace(material.contract, training=config.to_dict()))
    text = render(compose(made), ".md")
    assert "python -m pipeline train --dataset bars --architecture simple_cnn --epochs 3" in text
    assert "--split test" in text
    strange = replace(made, contract=replace(made.contract, training={"unheard_of": 1}))
    assert "pipeline train" not in render(compose(strange), ".md")


def test_edits_do_not_make_other_data_of_it(material: Material) -> None:
    dataset = material.dataset
    assert dataset is not None
    edited = replace(material.report.dataset, fingerprint="with edits", overlay_version=1)
    meta = replace(dataset.meta, fingerprint="with edits")
    edits = Edits(version=1, num_excluded=1, num_relabelled=0, official=dataset)
    changed = replace(
        material,
        report=replace(material.report, dataset=edited),
        dataset=replace(dataset, meta=meta, edits=edits),
    )
    (said,) = notes(changed)
    assert said.startswith("Scored with version 1 of the edits")


def test_data_of_the_models_before_it_are_told(material: Material) -> None:
    contract = replace(material.contract, handed_down=("0",))
    (said,) = notes(replace(material, contract=contract))
    assert said.startswith("The model was trained on other data")
    assert "that it went on from" in said


def test_an_ensemble_tells_its_edits_and_what_its_members_learned_from(material: Material) -> None:
    members = [
        {"name": name, "architecture": "vgg", "temperature": 1.0, "fingerprint": "0",
         "dataset": {"title": "Posed faces"}, "learned_from": []}
        for name in ("a", "b")
    ]  # fmt: skip
    edits = {"version": 3, "excluded": 1, "relabelled": 0, "fingerprint": "1"}
    contract = replace(
        material.contract,
        training={"views": "flip", "members": members},
        dataset={**material.contract.dataset, "edits": edits},
    )
    text = render(compose(replace(material, contract=contract)), ".md")
    assert "a b --tta flip --dataset bars --edits 3" in text
    assert "Learned from: Posed faces" in text.replace("*", "")
    assert "Calibrated on:" in text
    assert "Trained on:" not in text
