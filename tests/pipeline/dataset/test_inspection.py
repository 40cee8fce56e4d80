"""What an inspection finds comes back from disk the same, and only for the same data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, inspection
from pipeline.dataset.synthetic import draw_face
from pipeline.labels import NAMES
from pipeline.progress import Cancelled

Build = Callable[..., Dataset]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def make(seed: int = 0) -> Dataset:
        rng = np.random.default_rng(seed)
        images = np.stack([draw_face(NAMES[index % 7], rng) for index in range(21)])
        images[20] = images[0]
        images[19] = 0
        store = DatasetStore(tmp_path)
        with store.writer("faces") as writer:
            splits = np.array([0] * 14 + [1] * 3 + [2] * 4, np.uint8)
            writer.append(images, (np.arange(21) % 7).astype(np.uint8), splits)
            writer.finish(title="Faces", source="test", kind="test")
        return store.open("faces")

    return make


def test_comes_back_whole(build: Build) -> None:
    dataset = build()
    made, kept = inspection.run(dataset), inspection.load(dataset)
    assert kept is not None
    assert kept.quality.to_dict() == made.quality.to_dict()
    assert kept.quality.exact.groups[0].tolist() == [0, 20]
    assert [group.tolist() for group in kept.quality.exact.conflicting] == [[0, 20]]
    np.testing.assert_array_equal(kept.quality.measures.sharpness, made.quality.measures.sharpness)
    np.testing.assert_array_equal(kept.map.points, made.map.points)
    np.testing.assert_array_equal(kept.statistics.histograms, made.statistics.histograms)


def test_other_data_of_the_same_name_are_not_mistaken(build: Build) -> None:
    inspection.run(build())
    assert inspection.load(build(seed=1)) is None
    assert inspection.load(build()) is not None


def test_votes_that_were_attached_later_count(build: Build, tmp_path: Path) -> None:
    inspection.run(build())
    votes = np.zeros((21, 10), np.uint8)
    votes[4, 9] = 10
    dataset = DatasetStore(tmp_path).attach_votes("faces", votes, "votes.csv")
    found = inspection.load(dataset)
    assert found is not None
    assert found.quality.not_a_face is not None
    assert found.quality.not_a_face.tolist() == [4]


def test_a_damaged_file_counts_as_none(build: Build) -> None:
    dataset = build()
    assert inspection.load(dataset) is None
    inspection.run(dataset)
    path = inspection.cache_path(dataset)
    path.write_bytes(path.read_bytes()[:500])
    assert inspection.load(dataset) is None


def test_cancelling_leaves_nothing(build: Build) -> None:
    def cancel(done: float, total: float | None, text: str = "") -> None:
        if done > 0.3:
            raise Cancelled("enough")

    dataset = build()
    with pytest.raises(Cancelled):
        inspection.run(dataset, progress=cancel)
    assert not inspection.cache_path(dataset).parent.exists()


def test_progress_rises_to_one(build: Build) -> None:
    seen: list[float] = []
    inspection.run(build(), progress=lambda done, total, text="": seen.append(done / (total or 1)))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == pytest.approx(1)
