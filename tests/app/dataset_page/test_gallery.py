"""Which images pass which filter, in what order, and what is told of them."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.dataset_page import gallery
from app.dataset_page.gallery import CopyFilter, EditFilter, Filters, Order, VoteFilter
from pipeline.dataset import Dataset, DatasetStore, Split, inspection
from pipeline.dataset.inspection import Inspection
from pipeline.dataset.overlay import Overlay, exclude, relabel
from pipeline.dataset.synthetic import draw_face
from pipeline.labels import NAMES

NUMBER = 21


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Faces of all classes in turn; test image 20 is training image 0; 5 is dark."""
    rng = np.random.default_rng(0)
    images = np.stack([draw_face(NAMES[index % 7], rng) for index in range(NUMBER)])
    images[20] = images[0]
    images[5] //= 8
    votes = np.zeros((NUMBER, 10), np.uint8)
    votes[:, 1] = 10  # everyone says happiness …
    votes[4] = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]  # … but for one image
    store = DatasetStore(tmp_path_factory.mktemp("data"))
    with store.writer("faces") as writer:
        splits = np.array([0] * 12 + [1] * 4 + [2] * 5, np.uint8)
        writer.append(
            images,
            (np.arange(NUMBER) % 7).astype(np.uint8),
            splits,
            [f"row {index}" for index in range(NUMBER)],
        )
        writer.finish(title="Faces", source="test", kind="test")
    return store.attach_votes("faces", votes, "votes.csv")


@pytest.fixture(scope="module")
def found(dataset: Dataset) -> Inspection:
    return inspection.run(dataset)


@pytest.fixture
def overlay(dataset: Dataset) -> Overlay:
    return Overlay.replay(dataset.meta.fingerprint, (exclude([1]), relabel([2], 3)))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), list(range(NUMBER))),
        # Image 2 is relabelled as 3.
        (Filters(classes=(0, 3)), [0, 2, 3, 7, 10, 14, 17]),
        (Filters(classes=(0,), splits=(Split.TEST,)), []),
        (Filters(splits=(Split.VALIDATION,)), [12, 13, 14, 15]),
        (Filters(among=(2, 9, 16), classes=(2,)), [9, 16]),
        (Filters(votes=VoteFilter.AGREES), [3, 10, 17]),
        (Filters(votes=VoteFilter.NONE), [4]),
        (Filters(votes=VoteFilter.DIFFERS, classes=(3, 4)), [2, 11, 18]),
        (Filters(edits=EditFilter.EXCLUDED), [1]),
        (Filters(edits=EditFilter.RELABELLED), [2]),
        (Filters(edits=EditFilter.UNTOUCHED, among=(0, 1, 2)), [0]),
        (Filters(copies=CopyFilter.EXACT), [0, 20]),
        (Filters(copies=CopyFilter.LEAK), [20]),
        (Filters(copies=CopyFilter.NONE, among=(0, 1, 20)), [1]),
        (Filters(brightness=(0, 31)), [5]),
        (Filters(sharpness=(1e9, 2e9)), []),
    ],
)
def test_filters(
    dataset: Dataset,
    found: Inspection,
    overlay: Overlay,
    filters: Filters,
    expected: list[int],
) -> None:
    assert gallery.select(dataset, found, overlay, filters).tolist() == expected


def test_without_an_inspection_its_filters_pass_all(dataset: Dataset, overlay: Overlay) -> None:
    filters = Filters(brightness=(0, 1), copies=CopyFilter.EXACT, classes=(1,))
    assert gallery.select(dataset, None, overlay, filters).tolist() == [1, 8, 15]


def test_less_visible_filters_are_named(found: Inspection) -> None:
    wide = Filters(classes=(1,), brightness=(0, 255), sharpness=(0, 1e6))
    assert gallery.narrowing(found, wide) == []
    narrow = Filters(copies=CopyFilter.NEAR, brightness=(32, 255))
    assert gallery.narrowing(found, narrow) == ["copies", "brightness"]


def test_orders(found: Inspection) -> None:
    indices = np.arange(NUMBER)
    light = found.quality.measures.brightness
    dark = gallery.arrange(indices, Order.DARK, 0, found)
    assert dark[0] == 5
    assert (np.diff(light[dark]) >= 0).all()
    assert (np.diff(light[gallery.arrange(indices, Order.BRIGHT, 0, found)]) <= 0).all()
    sharp = found.quality.measures.sharpness
    assert (np.diff(sharp[gallery.arrange(indices, Order.SHARP, 0, found)]) <= 0).all()
    shuffled = gallery.arrange(indices, Order.SHUFFLED, 4, found)
    assert shuffled.tolist() != indices.tolist()
    assert sorted(shuffled) == indices.tolist()
    assert shuffled.tolist() == gallery.arrange(indices, Order.SHUFFLED, 4, found).tolist()
    assert shuffled.tolist() != gallery.arrange(indices, Order.SHUFFLED, 5, found).tolist()


def test_sheet_holds_each_face_at_its_place(dataset: Dataset, overlay: Overlay) -> None:
    indices = np.array([9, 1, 2, 17, 0])
    sheet = gallery.sheet(dataset, indices, overlay)
    assert (sheet["columns"], sheet["rows"]) == (3, 2)
    encoded = base64.b64decode(sheet["sprite"].removeprefix("data:image/png;base64,"))
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE)
    for place, index in enumerate(indices):
        top, left = 48 * (place // 3), 48 * (place % 3)
        np.testing.assert_array_equal(
            picture[top : top + 48, left : left + 48], dataset.images[index]
        )
    labels = [item["label"] for item in sheet["items"]]
    assert labels[0] == "Image 9, Fear, Training"
    assert labels[1] == "Image 1, Disgust, Training, excluded"
    assert labels[2] == "Image 2, Happy, Training, relabelled"
    assert [item["index"] for item in sheet["items"]] == indices.tolist()


def test_copies_of_one(found: Inspection) -> None:
    exact, near = gallery.copies_of(found, 0)
    assert exact.tolist() == [20]
    assert not len(near)
    assert [len(part) for part in gallery.copies_of(found, 7)] == [0, 0]


def test_facts(dataset: Dataset, found: Inspection) -> None:
    known = dict(gallery.facts(dataset, found, 5))
    assert known["Label"] == "Surprise"
    assert known["From"] == "row 5"
    assert known["Flags"].startswith("Dark")
    assert known["FER+ votes"] == "happiness 10"
    assert "Flags" not in dict(gallery.facts(dataset, None, 5))


def test_folder_of_data_is_not_written_to(dataset: Dataset) -> None:
    names = {path.name for path in Path(dataset.folder).iterdir()}
    assert names == {
        f"{name}.npy" for name in ("images", "labels", "splits", "origins", "votes")
    } | {"meta.json"}
