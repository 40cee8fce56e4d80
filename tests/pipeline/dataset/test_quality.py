"""The report counts what is there, under the right heading, and adds up."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.ferplus import attach
from pipeline.dataset.quality import QualityReport, inspect, measure
from pipeline.dataset.synthetic import draw_face
from pipeline.labels import NAMES
from pipeline.progress import Cancelled

TRAIN, VALIDATION, TEST = Split


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([draw_face(NAMES[index % 7], rng) for index in range(14)])


def build(
    store: DatasetStore, rows: list[tuple[np.ndarray, int, Split]], name: str = "made"
) -> Dataset:
    images = np.stack([image for image, _, _ in rows])
    labels = np.array([label for _, label, _ in rows], np.uint8)
    splits = np.array([list(Split).index(split) for _, _, split in rows], np.uint8)
    with store.writer(name) as writer:
        writer.append(images, labels, splits)
        writer.finish(title="Made up", source="test", kind="test")
    return store.open(name)


def dimmed(image: np.ndarray) -> np.ndarray:
    return (image * 0.6 + 20).astype(np.uint8)


def faults(image: np.ndarray) -> set[str]:
    return {name for name, found in measure(image[None]).faults().items() if found[0]}


def test_measures_are_those_of_each_image(faces: np.ndarray) -> None:
    # More than one batch, the last of them short.
    many = np.concatenate([faces] * 40)
    measures = measure(many)
    flat = many.reshape(len(many), -1)
    np.testing.assert_allclose(measures.brightness, flat.mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(measures.value_range, np.ptp(flat.astype(int), axis=1))
    expected = np.percentile(flat, [5, 95], axis=1, method="inverted_cdf")
    np.testing.assert_array_equal([measures.low, measures.high], expected)


def test_each_fault_is_told_from_the_others(faces: np.ndarray) -> None:
    face = np.clip(128 + (faces[0] - faces[0].mean()) * 1.5, 0, 255).astype(np.uint8)
    grain = np.random.default_rng(0).integers(0, 10, face.shape)
    assert faults(face) == set()
    assert faults(np.full_like(face, 200)) == {"constant", "blank"}
    assert faults((grain + 100).astype(np.uint8)) == {"blank"}
    assert faults((face * 0.2).astype(np.uint8)) == {"too_dark", "low_contrast"}
    assert faults((face * 0.2 + 200).astype(np.uint8)) == {"too_bright", "low_contrast"}
    assert faults((face * 0.2 + 100).astype(np.uint8)) == {"low_contrast"}
    assert faults(cv2.GaussianBlur(face, (0, 0), 2.0)) == {"blurred"}


def test_sharpness_depends_on_neither_gain_nor_offset(faces: np.ndarray) -> None:
    plain, dim = measure(faces[:1] // 2 * 2), measure(faces[:1] // 2 + 60)
    assert dim.sharpness[0] == pytest.approx(plain.sharpness[0], rel=1e-4)


def test_a_constant_image_has_no_sharpness() -> None:
    assert measure(np.zeros((1, 48, 48), np.uint8)).sharpness.tolist() == [0.0]


@pytest.fixture
def report(faces: np.ndarray, store: DatasetStore) -> QualityReport:
    rows = [
        (faces[0], 0, TRAIN),
        (faces[1], 1, TRAIN),
        (faces[1], 2, TRAIN),  # 2: twin of 1 with another label
        (faces[2], 2, TRAIN),
        (np.zeros((48, 48), np.uint8), 0, TRAIN),
        (faces[3], 3, VALIDATION),
        (dimmed(faces[2]), 2, VALIDATION),  # 6: near copy of 3
        (faces[0], 0, TEST),  # 7: twin of 0, same label
        (dimmed(faces[0]), 4, TEST),  # 8: near copy of 0 and 7, another label
        (faces[1], 5, TEST),  # 9: twin of 1 and 2, label of neither
        (faces[4], 4, TEST),
    ]
    return inspect(build(store, rows))


def test_exact_copies_across_and_within_splits(report: QualityReport) -> None:
    assert [group.tolist() for group in report.exact.groups] == [[0, 7], [1, 2, 9]]
    assert [group.tolist() for group in report.exact.conflicting] == [[1, 2, 9]]
    leak = report.exact.overlap(TEST, TRAIN)
    assert leak.images.tolist() == [7, 9]
    assert leak.num_same_label == 1
    assert report.exact.overlap(TRAIN, TEST).images.tolist() == [0, 1, 2]
    within = report.exact.overlap(TRAIN, TRAIN)
    assert within.images.tolist() == [1, 2]
    assert within.num_same_label == 0
    assert report.exact.overlap(VALIDATION, TRAIN).images.size == 0


def test_near_copies_do_not_repeat_the_exact_ones(report: QualityReport) -> None:
    assert [group.tolist() for group in report.near.groups] == [[0, 7, 8], [3, 6]]
    assert [group.tolist() for group in report.near.conflicting] == [[0, 7, 8]]
    leak = report.near.overlap(TEST, TRAIN)
    assert leak.images.tolist() == [8]
    assert leak.num_same_label == 0
    assert report.near.overlap(VALIDATION, TRAIN).images.tolist() == [6]
    assert report.near.overlap(VALIDATION, TRAIN).num_same_label == 1
    assert report.near.overlap(TEST, TEST).images.tolist() == [7, 8]
    assert report.near.overlap(TRAIN, TEST).images.size == 0


def test_the_report_is_plain_json(report: QualityReport) -> None:
    value = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert value["labels"] == list(NAMES)
    assert value["counts"]["train"] == [2, 1, 2, 0, 0, 0, 0]
    assert value["imbalance_ratio"] is None
    assert value["faults"]["constant"] == {"num_images": 1, "examples": [4]}
    assert "not_a_face" not in value["faults"]
    assert len(value["exact_duplicates"]["overlaps"]) == 9
    assert {
        "split": "test",
        "other": "train",
        "num_images": 2,
        "num_same_label": 1,
        "examples": [7, 9],
    } in value["exact_duplicates"]["overlaps"]
    assert value["near_duplicates"]["num_groups"] == 2


def test_imbalance_is_the_largest_training_class_over_the_smallest(
    faces: np.ndarray, store: DatasetStore
) -> None:
    rows = [(face, index % 7, TRAIN) for index, face in enumerate(faces)]
    rows += [(faces[3][::-1], 3, TRAIN), (faces[3][:, ::-1], 3, TEST)]
    assert inspect(build(store, rows)).imbalance_ratio == 1.5


def test_a_dataset_without_any_copies(faces: np.ndarray, store: DatasetStore) -> None:
    found = inspect(build(store, [(face, 0, TRAIN) for face in faces]))
    assert found.exact.groups == found.near.groups == []
    assert all(item.images.size == 0 for item in found.exact.overlaps + found.near.overlaps)


def test_votes_tell_what_is_not_a_face(
    faces: np.ndarray, store: DatasetStore, tmp_path: Path
) -> None:
    build(store, [(face, 0, TRAIN) for face in faces[:3]])
    lines = ["Training,,0,0,0,0,0,0,0,0,0,10", *["Training,a.png,10,0,0,0,0,0,0,0,0,0"] * 2]
    header = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    )
    path = tmp_path / "votes.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    found = inspect(attach(store, "made", path))
    assert found.not_a_face is not None
    assert found.not_a_face.tolist() == [0]
    assert found.to_dict()["faults"]["not_a_face"]["num_images"] == 1


def test_progress_rises_to_the_end_and_can_stop_the_work(
    faces: np.ndarray, store: DatasetStore
) -> None:
    dataset = build(store, [(face, 0, TRAIN) for face in (*faces, *map(dimmed, faces))])
    seen: list[float] = []
    inspect(dataset, progress=lambda done, total, text="": seen.append(done / (total or 1)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def refuse(done: float, total: float | None, text: str = "") -> None:
        if text == "comparing near copies":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        inspect(dataset, progress=refuse)


@pytest.mark.real_data
def test_the_known_truth_of_the_real_data(real_store: DatasetStore, real_votes: Path) -> None:
    report = inspect(attach(real_store, "fer2013", real_votes))
    assert report.num_samples == 35887
    assert report.imbalance_ratio == pytest.approx(7215 / 436)
    assert len(report.exact.groups) == 1518
    assert len(report.exact.conflicting) == 59
    known = {
        (TEST, TRAIN): (288, 279),
        (TRAIN, TEST): (387, 369),
        (VALIDATION, TRAIN): (280, 273),
        (TRAIN, VALIDATION): (351, 332),
        (TEST, VALIDATION): (44, 42),
        (TRAIN, TRAIN): (2273, 2206),
        (VALIDATION, VALIDATION): (52, 50),
        (TEST, TEST): (35, 29),
    }
    for (split, other), expected in known.items():
        overlap = report.exact.overlap(split, other)
        assert (len(overlap.images), overlap.num_same_label) == expected
    # Rounding may tip a pair on the limit over, on another processor.
    assert len(report.near.overlap(TEST, TRAIN).images) == pytest.approx(342, abs=5)
    assert len(report.faults["constant"]) == 12
    assert len(report.faults["blank"]) == 13
    assert len(report.faults["too_dark"]) == 14
    assert len(report.faults["too_bright"]) == 9
    assert len(report.faults["low_contrast"]) == 92
    assert len(report.faults["blurred"]) == pytest.approx(38, abs=1)
    assert report.not_a_face is not None
    assert len(report.not_a_face) == 176
