"""Maps by any features: what the axes are, what a sample keeps, what comes back from disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset import maps as module
from pipeline.dataset.embedding import ImageMap, pixel_features, pixel_map
from pipeline.dataset.maps import MapStore, Method, make_map, read_map, stratified_sample
from pipeline.errors import DatasetError
from pipeline.progress import Cancelled, Progress, no_progress

Build = Callable[..., Dataset]
SIZES = {(0, 0): 60, (0, 3): 300, (1, 3): 39, (2, 1): 1}


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EARLY_STEPS", 50)
    monkeypatch.setattr(module, "_STEPS", 50)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Noise; the labels and splits of `SIZES`, shuffled, or of so many images."""

    def make(number: int | None = None, seed: int = 0) -> Dataset:
        rng = np.random.default_rng(seed)
        groups = np.repeat(list(SIZES), list(SIZES.values()), axis=0)
        groups = rng.permutation(groups)[:number].astype(np.uint8)
        images = rng.integers(0, 256, (len(groups), 48, 48), np.uint8)
        store = DatasetStore(tmp_path)
        with store.writer("faces") as writer:
            writer.append(images, groups[:, 1], groups[:, 0])
            writer.finish(title="Faces", source="test", kind="test")
        return store.open("faces")

    return make


def two_heaps(images: np.ndarray, *, progress: Progress = no_progress) -> np.ndarray:
    """Features of 80 dimensions: the first half of the images here, the others there."""
    found = np.random.default_rng(1).normal(0, 1, (len(images), 80)).astype(np.float32)
    found[: len(images) // 2, 0] += 30
    progress(len(images), len(images), "read")
    return found


def test_principal_components_of_pixels_are_those_of_the_inspection(build: Build) -> None:
    dataset = build(50)
    expected, found = pixel_map(dataset), make_map(dataset, pixel_features, Method.PCA)
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_allclose(found.explained, expected.explained, rtol=1e-3)
    np.testing.assert_allclose(np.abs(found.points), np.abs(expected.points), atol=1e-4)


def test_tsne_keeps_neighbours_together_and_tells_how_far_it_is(build: Build) -> None:
    seen: list[float] = []
    dataset = build(60)
    found = make_map(
        dataset,
        two_heaps,
        Method.TSNE,
        progress=lambda done, total, text="": seen.append(done / (total or 1)),
    )
    assert found.points.shape == (60, 2)
    assert not len(found.explained)
    centres = np.stack([found.points[:30].mean(axis=0), found.points[30:].mean(axis=0)])
    distances = np.linalg.norm(found.points[:, None] - centres, axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.repeat([0, 1], 30))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_tsne_can_be_cancelled_while_it_places_images(build: Build) -> None:
    def cancel(done: float, total: float | None, text: str = "") -> None:
        if text == "placing images on the map" and done > 0.5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        make_map(build(60), two_heaps, Method.TSNE, progress=cancel)


@pytest.mark.parametrize("method", Method)
def test_images_that_are_all_alike_lie_on_one_spot(build: Build, method: Method) -> None:
    def same(images: np.ndarray, *, progress: Progress = no_progress) -> np.ndarray:
        return np.ones((len(images), 5), np.float32)

    assert not make_map(build(20), same, method).points.any()


def test_too_few_images_for_tsne(build: Build) -> None:
    dataset = build(5)
    with pytest.raises(DatasetError, match="needs 12 images or more, and 'faces' has 5"):
        make_map(dataset, pixel_features, Method.TSNE)
    assert make_map(dataset, pixel_features, Method.PCA).points.shape == (5, 2)


def test_a_large_dataset_is_mapped_by_a_sample_of_every_group(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = build()
    monkeypatch.setattr(module, "MOST_IMAGES", 40)
    read: list[np.ndarray] = []

    def note(images: np.ndarray, *, progress: Progress = no_progress) -> np.ndarray:
        read.append(images)
        return two_heaps(images)

    found = make_map(dataset, note, Method.PCA)
    np.testing.assert_array_equal(read[0], dataset.images[found.images])
    groups = list(zip(dataset.split_codes[found.images], dataset.labels[found.images], strict=True))
    assert {group: groups.count(group) for group in SIZES} == {
        (0, 0): 6,
        (0, 3): 30,
        (1, 3): 4,
        (2, 1): 1,
    }
    assert (np.diff(found.images) > 0).all()
    assert stratified_sample(dataset, 400).tolist() == list(range(400))
    happy = np.flatnonzero(dataset.labels == 3)
    some = stratified_sample(dataset, 30, happy)
    assert set(some) < set(happy)
    assert np.bincount(dataset.split_codes[some]).tolist() == [27, 3]


class TestMapStore:
    FOUND = ImageMap(np.arange(3), np.eye(3, 2, dtype=np.float32), np.empty(0, np.float32))

    def test_comes_back_for_the_same_features_and_method_only(self, build: Build) -> None:
        store = MapStore(build(20))
        store.save("pixels", Method.TSNE, self.FOUND)
        kept = read_map(store.path("pixels", Method.TSNE))
        assert kept is not None
        np.testing.assert_array_equal(kept.points, self.FOUND.points)
        np.testing.assert_array_equal(kept.images, self.FOUND.images)
        assert not len(kept.explained)
        assert read_map(store.path("pixels", Method.PCA)) is None
        assert read_map(store.path("ab" * 32, Method.TSNE)) is None

    def test_maps_of_data_that_are_gone_go_too(self, build: Build) -> None:
        old = MapStore(build(20))
        old.save("pixels", Method.TSNE, self.FOUND)
        new = MapStore(build(20, seed=1))
        assert read_map(new.path("pixels", Method.TSNE)) is None
        new.save("pixels", Method.PCA, self.FOUND)
        assert read_map(old.path("pixels", Method.TSNE)) is None
        assert read_map(new.path("pixels", Method.PCA)) is not None

    def test_a_damaged_file_counts_as_none(self, build: Build) -> None:
        store = MapStore(build(20))
        store.save("pixels", Method.TSNE, self.FOUND)
        path = store.path("pixels", Method.TSNE)
        path.write_bytes(path.read_bytes()[:100])
        assert read_map(store.path("pixels", Method.TSNE)) is None

    def test_deleting_the_dataset_deletes_its_maps(self, build: Build, tmp_path: Path) -> None:
        store = MapStore(build(20))
        store.save("pixels", Method.TSNE, self.FOUND)
        DatasetStore(tmp_path).delete("faces")
        assert not store.path("pixels", Method.TSNE).parent.exists()
