"""Copies are found, exact and near, and what only looks alike is not."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.duplicates import (
    groups_of,
    near_groups,
    picture_ids,
    similarity,
    twins_in_train,
)
from pipeline.dataset.synthetic import draw_face
from pipeline.labels import NAMES

Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([draw_face(NAMES[index % 7], rng) for index in range(60)])


def exact_groups(images: np.ndarray) -> list[np.ndarray]:
    return groups_of(picture_ids(images))


def as_lists(groups: list[np.ndarray]) -> list[list[int]]:
    return [group.tolist() for group in groups]


def make(store: DatasetStore, images: np.ndarray, labels: list[int], splits: list[int]) -> Dataset:
    with store.writer("made") as writer:
        writer.append(images, np.array(labels, np.uint8), np.array(splits, np.uint8))
        writer.finish(title="Made", source="test", kind="test")
    return store.open("made")


def test_exact_groups_are_ordered_and_need_two(faces: np.ndarray) -> None:
    images = faces[[5, 1, 2, 1, 5, 3, 1]]
    assert as_lists(exact_groups(images)) == [[0, 4], [1, 3, 6]]
    assert exact_groups(faces) == []


def test_one_grey_level_in_one_pixel_is_another_picture(faces: np.ndarray) -> None:
    images = faces[[0, 0]]
    images[1, 20, 20] ^= 1
    assert exact_groups(images) == []
    assert len(set(picture_ids(images))) == 2


def test_twins_in_train_follow_the_order_of_the_split(
    faces: np.ndarray, store: DatasetStore
) -> None:
    #                 train      test        validation  train
    images = faces[[0, 1, 2,   9, 1, 0, 8,   2, 7,       2]]  # fmt: skip
    dataset = make(store, images, [0] * 10, [0, 0, 0, 2, 2, 2, 2, 1, 1, 0])
    assert twins_in_train(dataset, Split.TEST).tolist() == [False, True, True, False]
    assert twins_in_train(dataset, Split.VALIDATION).tolist() == [True, False]
    assert twins_in_train(dataset, Split.TRAIN).tolist() == [False, False, True, True]


def shifted(image: np.ndarray) -> np.ndarray:
    return np.pad(image, ((0, 2), (0, 1)), mode="edge")[2:, 1:]


def enlarged(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image[1:-1, 1:-1], image.shape, interpolation=cv2.INTER_LINEAR)


def dimmed(image: np.ndarray) -> np.ndarray:
    return (image * 0.6 + 20).astype(np.uint8)


def recompressed(image: np.ndarray) -> np.ndarray:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def stamped(image: np.ndarray) -> np.ndarray:
    copy = image.copy()
    cv2.putText(copy, "stock", (8, 28), cv2.FONT_HERSHEY_PLAIN, 0.7, 230)
    return copy


@pytest.mark.parametrize(
    ("change", "share"),
    [(shifted, 0.9), (enlarged, 0.6), (dimmed, 1.0), (recompressed, 1.0), (stamped, 0.5)],
)
def test_changed_copies_are_found_and_nothing_else(
    faces: np.ndarray, change: Change, share: float
) -> None:
    copies = np.stack([change(face) for face in faces])
    groups = as_lists(near_groups(np.concatenate([faces, copies])))
    expected = [[index, index + len(faces)] for index in range(len(faces))]
    assert len(groups) >= share * len(faces)
    assert all(group in expected for group in groups)


def test_different_faces_are_not_near(faces: np.ndarray) -> None:
    assert near_groups(faces) == []


def test_identical_copies_join_a_near_group_but_make_none(faces: np.ndarray) -> None:
    dim = dimmed(faces[0])
    images = np.stack([faces[0], faces[1], dim, faces[1], faces[0], dim])
    assert as_lists(near_groups(images)) == [[0, 2, 4, 5]]


def test_a_chain_of_near_copies_is_one_group(faces: np.ndarray) -> None:
    chain = [faces[0]]
    for _ in range(4):
        chain.append(shifted(chain[-1]))
    assert similarity(chain[0], chain[-1]) < min(similarity(a, b) for a, b in pairwise(chain))
    assert as_lists(near_groups(np.stack(chain))) == [[0, 1, 2, 3, 4]]


def test_blank_images_are_not_near_anything(faces: np.ndarray) -> None:
    blank = np.zeros((2, 48, 48), np.uint8)
    blank[1] = 9
    assert near_groups(np.concatenate([blank, faces[:1]])) == []
    assert near_groups(blank) == []


def test_flat_centres_do_not_count_as_agreement() -> None:
    images = np.full((2, 48, 48), 100, np.uint8)
    images[0, :3] = 10
    images[1, :3, :40] = 10
    assert similarity(images[0], images[1]) == 0.0
    assert near_groups(images) == []


def test_similarity_is_symmetric_and_1_for_itself(faces: np.ndarray) -> None:
    assert similarity(faces[0], faces[0]) == pytest.approx(1.0, abs=1e-5)
    assert similarity(faces[0], dimmed(faces[0])) > 0.99
    assert similarity(faces[0], faces[1]) == similarity(faces[1], faces[0])


def test_negative_numbers_stand_alone() -> None:
    assert as_lists(groups_of(np.array([-1, 4, 2, -1, 2, 4, 7]))) == [[1, 5], [2, 4]]
    assert groups_of(np.array([-1, -1])) == []


@pytest.mark.real_data
def test_the_known_twins_of_the_real_data(real_store: DatasetStore) -> None:
    dataset = real_store.open("fer2013")
    groups = exact_groups(dataset.images)
    assert len(groups) == 1518
    assert sum(map(len, groups)) == 3373
    assert twins_in_train(dataset, Split.TEST).sum() == 288
    assert twins_in_train(dataset, Split.VALIDATION).sum() == 280
    assert twins_in_train(dataset, Split.TRAIN).sum() == 2273


@pytest.mark.real_data
def test_near_copies_in_the_real_data(real_store: DatasetStore) -> None:
    images = real_store.open("fer2013").images
    groups = near_groups(images)
    # Rounding may tip a pair on the limit over, on another processor.
    assert len(groups) == pytest.approx(1673, abs=10)
    assert sum(map(len, groups)) == pytest.approx(4685, abs=25)
    # One baby's photograph is there 27 times; they were looked at.
    assert max(map(len, groups)) == pytest.approx(27, abs=2)
