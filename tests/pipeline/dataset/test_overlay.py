"""Edits are kept beside the data, in order, for good, whoever else is editing."""

import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore, Split, ferplus
from pipeline.dataset.overlay import (
    OverlayConflictError,
    OverlayStore,
    exclude,
    relabel,
    relabel_each,
    restore,
    undo,
)
from pipeline.errors import DatasetError
from pipeline.labels import NAMES
from pipeline.training.targets import targets

NUMBER = 12


def build(root: Path, shade: int = 0) -> Dataset:
    images = np.full((NUMBER, 48, 48), shade, np.uint8)
    images[:, 0, 0] = np.arange(NUMBER)
    store = DatasetStore(root)
    with store.writer("faces") as writer:
        writer.append(
            images,
            (np.arange(NUMBER) % 7).astype(np.uint8),
            (np.arange(NUMBER) % 3).astype(np.uint8),
            [f"row {index}" for index in range(NUMBER)],
        )
        writer.finish(title="Faces", source="test", kind="csv")
    return store.open("faces")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return build(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> OverlayStore:
    return OverlayStore(tmp_path)


class TestEditing:
    def test_nothing_is_there_before_the_first_edit(
        self, tmp_path: Path, store: OverlayStore, dataset: Dataset
    ) -> None:
        before = sorted(tmp_path.rglob("*"))
        assert store.load(dataset).version == 0
        assert sorted(tmp_path.rglob("*")) == before

    def test_edits_survive_and_the_data_stay(
        self, tmp_path: Path, store: OverlayStore, dataset: Dataset
    ) -> None:
        before = {path: path.read_bytes() for path in dataset.folder.iterdir()}
        store.add(dataset, exclude([5, 2, 5], note="blurred"), based_on=0)
        store.add(dataset, relabel([3], NAMES.index("happy")), based_on=1)
        overlay = OverlayStore(tmp_path).load(dataset)
        assert overlay.version == 2
        assert overlay.excluded == {2, 5}
        assert overlay.relabelled == {3: NAMES.index("happy")}
        assert overlay.edits[0].note == "blurred"
        assert {path: path.read_bytes() for path in dataset.folder.iterdir()} == before

    def test_undo_takes_back_the_latest_that_holds_and_is_a_version_itself(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        for version, edit in enumerate((exclude([1]), exclude([2]), undo(), undo())):
            store.add(dataset, edit, based_on=version)
        overlay = store.load(dataset)
        assert overlay.version == 4
        assert overlay.excluded == frozenset()
        assert overlay.last is None
        assert [sorted(overlay.at(version).excluded) for version in range(5)] == [
            [],
            [1],
            [1, 2],
            [1],
            [],
        ]
        with pytest.raises(DatasetError, match="no edit of 'faces' to undo"):
            store.add(dataset, undo(), based_on=4)
        with pytest.raises(DatasetError, match="versions 0 to 4, got version 5"):
            overlay.at(5)

    def test_undo_of_a_relabel_brings_the_relabel_before_back(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        for version, edit in enumerate((relabel([1], 3), relabel([1], 4), undo())):
            overlay = store.add(dataset, edit, based_on=version)
        assert overlay.relabelled == {1: 3}

    def test_restore_takes_back_both_and_can_be_undone(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        edits = (exclude([1, 2]), relabel([1], 3), restore([1]))
        for version, edit in enumerate(edits):
            overlay = store.add(dataset, edit, based_on=version)
        assert overlay.excluded == {2}
        assert overlay.relabelled == {}
        overlay = store.add(dataset, undo(), based_on=3)
        assert overlay.excluded == {1, 2}
        assert overlay.relabelled == {1: 3}

    def test_one_edit_gives_each_image_a_label_of_its_own(
        self, tmp_path: Path, store: OverlayStore, dataset: Dataset
    ) -> None:
        store.add(dataset, relabel([1, 2], 0), based_on=0)
        store.add(dataset, relabel_each({5: 3, 2: 6, 4: 3}, note="suggested"), based_on=1)
        overlay = OverlayStore(tmp_path).load(dataset)
        assert (overlay.version, overlay.relabelled) == (2, {1: 0, 2: 6, 4: 3, 5: 3})
        assert overlay.edits[1].images == (2, 4, 5)
        assert overlay.edits[1].labels == (NAMES[6], NAMES[3], NAMES[3])
        stored = json.loads(store.path(dataset).read_text())["edits"]
        # As it always was, where it is one label.
        assert (stored[0]["label"], "labels" in stored[0]) == (NAMES[0], False)
        assert store.add(dataset, undo(), based_on=2).relabelled == {1: 0, 2: 0}

    @pytest.mark.parametrize("images", [[], [-1], [NUMBER]])
    def test_images_that_are_not_there_are_refused(
        self, store: OverlayStore, dataset: Dataset, images: list[int]
    ) -> None:
        with pytest.raises(DatasetError, match="image"):
            store.add(dataset, exclude(images), based_on=0)
        assert not store.path(dataset).exists()


class TestSeveralEditors:
    def test_an_edit_based_on_an_old_version_is_refused(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        store.add(dataset, exclude([1]), based_on=0)
        with pytest.raises(OverlayConflictError, match="version 1, not 0"):
            store.add(dataset, exclude([2]), based_on=0)
        assert store.load(dataset).excluded == {1}

    def test_of_edits_at_once_each_is_kept_or_refused(
        self, tmp_path: Path, store: OverlayStore, dataset: Dataset
    ) -> None:
        context = multiprocessing.get_context("fork")
        barrier, outcomes = context.Barrier(4), context.Queue()
        workers = [
            context.Process(target=_edit, args=(tmp_path, index, barrier, outcomes))
            for index in range(4)
        ]
        for worker in workers:
            worker.start()
        kept = {
            index for index, was_kept in (outcomes.get(timeout=20) for _ in workers) if was_kept
        }
        for worker in workers:
            worker.join(20)
        # All saw version 0, so one alone may build on it.
        assert len(kept) == 1
        assert store.load(dataset).excluded == kept


def _edit(root: Path, index: int, barrier, outcomes) -> None:
    dataset = DatasetStore(root).open("faces")
    barrier.wait(20)
    try:
        OverlayStore(root).add(dataset, exclude([index]), based_on=0)
    except OverlayConflictError:
        outcomes.put((index, False))
    else:
        outcomes.put((index, True))


class TestApplying:
    def test_excluded_images_go_and_labels_change(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        store.add(dataset, exclude([0, 4]), based_on=0)
        overlay = store.add(dataset, relabel([1], NAMES.index("sad")), based_on=1)
        made = overlay.apply(dataset)
        kept = [1, 2, 3, *range(5, NUMBER)]
        assert made.images[:, 0, 0].tolist() == kept
        assert made.labels[0] == NAMES.index("sad")
        assert made.labels[1:].tolist() == dataset.labels[kept[1:]].tolist()
        assert [made.origin(index) for index in range(3)] == ["row 1", "row 2", "row 3"]
        assert made.meta.num_samples == len(made) == NUMBER - 2
        assert sum(map(sum, made.meta.counts.values())) == NUMBER - 2
        assert made.meta.counts["validation"][NAMES.index("sad")] == 1
        assert made.indices(Split.TRAIN).tolist() == [2, 4, 7]
        assert "2 images excluded, 1 relabelled" in made.meta.notes[-1]
        # The one that edits were made for is as it was.
        assert len(dataset) == NUMBER
        assert dataset.labels[1] == 1

    def test_fingerprint_is_the_one_an_import_of_the_result_would_have(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        made = store.add(dataset, exclude([3]), based_on=0).apply(dataset)
        digest = hashlib.sha256(made.images.tobytes())
        digest.update(made.labels.tobytes())
        digest.update(made.split_codes.tobytes())
        assert made.meta.fingerprint == digest.hexdigest() != dataset.meta.fingerprint

    def test_without_exclusions_the_pixels_stay_mapped(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        made = store.add(dataset, relabel([0], 6), based_on=0).apply(dataset)
        assert np.shares_memory(made.images, dataset.images)
        assert made.labels[0] == 6

    def test_no_edit_is_no_change(self, store: OverlayStore, dataset: Dataset) -> None:
        assert store.load(dataset).apply(dataset) is dataset

    def test_excluding_everything_is_refused(self, store: OverlayStore, dataset: Dataset) -> None:
        overlay = store.add(dataset, exclude(range(NUMBER)), based_on=0)
        with pytest.raises(DatasetError, match="excludes every image"):
            overlay.apply(dataset)

    def test_votes_follow_their_images(self, tmp_path: Path, store: OverlayStore) -> None:
        build(tmp_path)
        votes = np.zeros((NUMBER, 10), np.uint8)
        votes[:, 0] = np.arange(NUMBER)
        dataset = DatasetStore(tmp_path).attach_votes("faces", votes, "votes.csv")
        made = store.add(dataset, exclude([0]), based_on=0).apply(dataset)
        assert made.votes is not None
        assert made.votes[:, 0].tolist() == list(range(1, NUMBER))

    def test_edits_belong_to_the_data_not_to_the_name(
        self, tmp_path: Path, store: OverlayStore
    ) -> None:
        first = build(tmp_path)
        overlay = store.add(first, exclude([1]), based_on=0)
        second = build(tmp_path, shade=9)
        with pytest.raises(DatasetError, match="made for other data"):
            overlay.apply(second)
        assert store.load(second).version == 0
        store.add(second, exclude([2]), based_on=0)
        # A file in the place of another.
        store.path(second).write_bytes(store.path(first).read_bytes())
        with pytest.raises(DatasetError, match="made for other data"):
            store.load(second)
        # The same data again find their edits again.
        assert store.load(build(tmp_path)).excluded == {1}


class TestChoosing:
    @pytest.fixture
    def edited(self, store: OverlayStore, dataset: Dataset) -> Dataset:
        for version, edit in enumerate((relabel([1], 6), exclude([0, 2]), relabel([2, 3], 5))):
            store.add(dataset, edit, based_on=version)
        return dataset

    def test_none_latest_or_a_version(self, store: OverlayStore, edited: Dataset) -> None:
        assert store.edited(edited, "none") is edited
        assert (edited.edits, edited.overlay_version, edited.official) == (None, None, edited)
        first, latest = store.edited(edited, 1), store.edited(edited, "latest")
        assert (first.overlay_version, len(first)) == (1, NUMBER)
        assert store.edited(edited, "1").meta.fingerprint == first.meta.fingerprint
        assert (latest.overlay_version, len(latest)) == (3, NUMBER - 2)
        assert latest.edits is not None
        # What is left out is not counted among the relabelled.
        assert (latest.edits.num_excluded, latest.edits.num_relabelled) == (2, 2)
        assert latest.official is edited

    def test_edits_that_change_nothing_are_none(
        self, store: OverlayStore, dataset: Dataset
    ) -> None:
        assert store.edited(dataset, "latest") is dataset
        store.add(dataset, exclude([1]), based_on=0)
        store.add(dataset, undo(), based_on=1)
        assert store.edited(dataset, "latest") is dataset
        assert store.edited(dataset, 1).overlay_version == 1

    @pytest.mark.parametrize("choice", [4, "4"])
    def test_a_version_that_never_was(
        self, store: OverlayStore, edited: Dataset, choice: str | int
    ) -> None:
        with pytest.raises(DatasetError, match=r"'faces'.*versions 0 to 3, got version 4"):
            store.edited(edited, choice)

    @pytest.mark.parametrize("choice", ["newest", "-1", "", "1.5"])
    def test_what_is_no_choice(self, store: OverlayStore, edited: Dataset, choice: str) -> None:
        with pytest.raises(DatasetError, match="'latest' or the number of a version"):
            store.edited(edited, choice)

    def test_a_relabelled_image_is_not_overruled_by_its_votes(
        self, tmp_path: Path, store: OverlayStore, dataset: Dataset
    ) -> None:
        votes = np.zeros((NUMBER, 10), np.uint8)
        votes[:, ferplus.COLUMNS.index("sadness")] = 10
        dataset = DatasetStore(tmp_path).attach_votes("faces", votes, "votes.csv")
        store.add(dataset, relabel([3], NAMES.index("happy")), based_on=0)
        edited = store.edited(dataset, "latest")
        learned = targets(edited, np.arange(NUMBER), soft_labels=1.0)
        assert learned[3].argmax() == NAMES.index("happy")
        assert {row.argmax() for row in np.delete(learned, 3, axis=0)} == {NAMES.index("sad")}


def test_a_file_from_before_edits_had_several_labels_is_read(
    store: OverlayStore, dataset: Dataset
) -> None:
    path = store.path(dataset)
    path.parent.mkdir()
    common = {"note": "", "created": "2026-03-01T12:00:00+00:00"}
    edits = [
        {"kind": "relabel", "images": [1, 4], "label": "happy", **common},
        {"kind": "exclude", "images": [2], "label": None, **common},
    ]
    written = {"format_version": 1, "fingerprint": dataset.meta.fingerprint, "edits": edits}
    path.write_text(json.dumps(written))
    overlay = store.load(dataset)
    assert overlay.relabelled == dict.fromkeys((1, 4), NAMES.index("happy"))
    assert [edit.to_dict() for edit in overlay.edits] == edits


def _with_labels(*labels: str) -> str:
    """A file in which two images are relabelled."""
    edit = {"kind": "relabel", "images": [1, 2], "labels": labels, "note": "", "created": ""}
    return json.dumps({"format_version": 1, "fingerprint": "x", "edits": [edit]})


@pytest.mark.parametrize(
    "text",
    [
        _with_labels("happy", "bored"),
        _with_labels("happy"),
        "{",
        "[]",
        '{"format_version": 99, "fingerprint": "x", "edits": []}',
        '{"format_version": 1, "fingerprint": "x", "edits": [{"kind": "burn"}]}',
        json.dumps(
            {
                "format_version": 1,
                "fingerprint": "x",
                "edits": [
                    {"kind": "relabel", "images": [1], "label": "bored", "note": "", "created": ""}
                ],
            }
        ),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(
    store: OverlayStore, dataset: Dataset, text: str
) -> None:
    path = store.path(dataset)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"faces@\w+\.json is damaged"):
        store.load(dataset)
    with pytest.raises(DatasetError, match="damaged"):
        store.add(dataset, exclude([1]), based_on=0)
    assert path.read_text() == text
