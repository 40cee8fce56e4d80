import numpy as np
import pytest

from pipeline.dataset import SPLITS, DatasetStore, Split
from pipeline.dataset.inspection import cache_path
from pipeline.dataset.overlay import OverlayStore, exclude
from pipeline.errors import DatasetError, DatasetNotFoundError


def write(store, samples, name="faces", batch=30, **finish):
    with store.writer(name) as writer:
        for start in range(0, len(samples), batch):
            part = slice(start, start + batch)
            writer.append(
                samples.images[part],
                samples.labels[part],
                samples.splits[part],
                [f"row {index}" for index in range(len(samples))[part]],
            )
        writer.finish(**{"title": "Faces", "source": "here", "kind": "csv", **finish})
    return store.open(name)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_was_written_is_read_back(store, samples) -> None:
    dataset = write(store, samples, notes=("Converted.",))
    np.testing.assert_array_equal(dataset.images, samples.images)
    np.testing.assert_array_equal(dataset.labels, samples.labels)
    np.testing.assert_array_equal(dataset.split_codes, samples.splits)
    assert dataset.origin(69) == "row 69"
    assert dataset.meta.notes == ("Converted.",)
    assert dataset.meta.image_size == (48, 48)
    assert dataset.meta.counts == {"train": [7] * 7, "validation": [1] * 7, "test": [2] * 7}
    assert [len(dataset.indices(split)) for split in SPLITS] == [49, 7, 14]
    np.testing.assert_array_equal(dataset.indices(Split.TEST), np.arange(56, 70))


def test_pixels_are_mapped_and_read_only(store, samples) -> None:
    dataset = write(store, samples)
    assert isinstance(dataset.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        dataset.images[0, 0, 0] = 1


def test_fingerprint_depends_on_the_data_only(store, samples) -> None:
    first = write(store, samples, "one", batch=70, title="A", source="x").meta.fingerprint
    assert write(store, samples, "two", batch=3).meta.fingerprint == first
    labels = samples.labels.copy()
    labels[5] = (labels[5] + 1) % 7
    other = type(samples)(samples.images, labels, samples.splits)
    assert write(store, other, "three").meta.fingerprint != first


def test_failure_leaves_the_earlier_dataset_and_nothing_else(store, samples) -> None:
    before = contents(write(store, samples).folder)
    with pytest.raises(DatasetError, match="label 7"), store.writer("faces") as writer:
        writer.append(samples.images, samples.labels + 1, samples.splits)
    assert contents(store.root / "faces") == before
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == ["faces"]


def test_forgotten_finish_is_an_error(store, samples) -> None:
    with pytest.raises(DatasetError, match="finish"), store.writer("faces") as writer:
        writer.append(samples.images, samples.labels, samples.splits)
    assert store.names() == []


def test_dataset_without_images_is_refused(store) -> None:
    with (
        pytest.raises(DatasetError, match=r"empty\.csv: no image"),
        store.writer("faces") as writer,
    ):
        writer.finish(title="", source="empty.csv", kind="csv")


@pytest.mark.parametrize(
    ("images", "labels", "splits", "message"),
    [
        (np.zeros((2, 48, 47), np.uint8), [0, 0], [0, 0], "expected uint8 images"),
        (np.zeros((2, 48, 48), np.float32), [0, 0], [0, 0], "expected uint8 images"),
        (np.zeros((2, 48, 48), np.uint8), [0], [0, 0], "2 images with 1 labels"),
        (np.zeros((2, 48, 48), np.uint8), [0, 7], [0, 0], "label 7"),
        (np.zeros((2, 48, 48), np.uint8), [0, 6], [0, 3], "split code 3"),
    ],
)
def test_batch_that_does_not_fit_is_refused(store, images, labels, splits, message) -> None:
    with pytest.raises(DatasetError, match=message), store.writer("faces") as writer:
        writer.append(images, np.array(labels, np.uint8), np.array(splits, np.uint8))


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "Upper", "x" * 65])
def test_name_that_is_no_folder_name_is_refused(store, name) -> None:
    with pytest.raises(DatasetError, match="cannot name a dataset"), store.writer(name):
        pass


def test_file_name_that_is_not_text_is_kept_as_far_as_it_goes(store, samples) -> None:
    with store.writer("faces") as writer:
        writer.append(
            samples.images[:1], samples.labels[:1], samples.splits[:1], ["angry/\udcff.png"]
        )
        writer.finish(title="", source="here", kind="images")
    assert store.open("faces").origin(0) == "angry/?.png"


def test_unknown_dataset_is_told_with_those_there_are(store, samples) -> None:
    write(store, samples)
    with pytest.raises(DatasetNotFoundError, match=r"'other'.*there: faces"):
        store.open("other")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format_version": 99}'])
def test_damaged_description_is_one_clear_error_and_can_be_deleted(store, samples, content) -> None:
    dataset = write(store, samples)
    (dataset.folder / "meta.json").write_bytes(content)
    with pytest.raises(DatasetError, match=r"import (it|the dataset) again"):
        store.open("faces")
    store.delete("faces")
    assert [path for path in store.root.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("keep", [0, 60, 5000])
def test_cut_off_pixels_are_one_clear_error(store, samples, keep) -> None:
    images = write(store, samples).folder / "images.npy"
    images.write_bytes(images.read_bytes()[:keep])
    with pytest.raises(DatasetError, match="'faces' is damaged"):
        store.open("faces")


@pytest.mark.parametrize("place", [0, 8, 12])
def test_arrays_with_a_wrong_bit_in_their_head_are_one_clear_error(store, samples, place) -> None:
    labels = write(store, samples).folder / "labels.npy"
    data = bytearray(labels.read_bytes())
    data[place] ^= 1 << 6
    labels.write_bytes(data)
    with pytest.raises(DatasetError, match="'faces' is damaged"):
        store.open("faces")


def test_votes_are_attached_and_kept(store, samples) -> None:
    write(store, samples)
    votes = np.full((70, 10), 1, np.uint8)
    np.testing.assert_array_equal(store.attach_votes("faces", votes, "votes.csv").votes, votes)
    assert DatasetStore(store.root).open("faces").meta.votes_source == "votes.csv"
    with pytest.raises(DatasetError, match="expected votes for 70 images of 'faces', got 69"):
        store.attach_votes("faces", votes[1:], "votes.csv")


def test_delete_takes_one_dataset_only(store, samples) -> None:
    write(store, samples, "one")
    write(store, samples, "two")
    store.delete("one")
    assert store.names() == ["two"]
    with pytest.raises(DatasetNotFoundError):
        store.delete("one")


def test_new_store_is_empty(store) -> None:
    assert store.names() == []


def test_deleting_takes_along_what_was_made_for_it_and_nothing_else(store, samples):
    kept, gone = write(store, samples, "faces.old"), write(store, samples, "faces")
    overlays = OverlayStore(store.root)
    for dataset in (kept, gone):
        overlays.add(dataset, exclude([1]), based_on=0)
        path = cache_path(dataset)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    store.delete("faces")
    assert not [path for path in store.root.rglob("*") if path.match("faces@*")]
    assert not cache_path(gone).exists()
    assert cache_path(kept).exists()
    assert overlays.load(kept).excluded == {1}
    # Whoever deletes for good and imports again begins anew.
    assert overlays.load(write(store, samples, "faces")).version == 0


def test_a_second_import_of_the_same_name_at_once_is_refused(store, samples):
    def import_too():
        with store.writer("faces"):
            pass

    with store.writer("faces") as writer:
        with pytest.raises(DatasetError, match="being imported already"):
            import_too()
        writer.append(samples.images, samples.labels, samples.splits)
        writer.finish(title="Faces", source="here", kind="csv")
    assert store.names() == ["faces"]


def test_votes_can_come_with_the_images(store, samples):
    votes = np.ones((70, 10), np.uint8)
    dataset = write(store, samples, votes=(votes, "votes.csv"))
    np.testing.assert_array_equal(dataset.votes, votes)
    assert dataset.meta.votes_source == "votes.csv"
    with pytest.raises(DatasetError, match="expected votes for 70 images of 'here', got 69"):
        write(store, samples, votes=(votes[1:], "short.csv"))
    assert store.open("faces").meta.votes_source == "votes.csv"
    with pytest.raises(DatasetError, match="expected votes for 70 images of 'faces', got 69"):
        store.attach_votes("faces", votes[1:], "short.csv")
    assert not list(dataset.folder.glob(".*"))


def test_the_end_of_a_long_origin_is_kept(store, samples):
    with store.writer("long") as writer:
        names = [f"{'папка/' * 20}Training_{index}.jpg" for index in range(len(samples))]
        writer.append(samples.images, samples.labels, samples.splits, names)
        writer.finish(title="Long", source="here", kind="images")
    origin = store.open("long").origin(69)
    assert origin.startswith("…")
    assert origin.endswith("папка/Training_69.jpg")
    assert len(origin.encode()) <= 96


def test_what_a_killed_deletion_left_is_cleared_away(store, samples):
    write(store, samples)
    left = store.root / ".faces.0123abcd.deleted"
    left.mkdir()
    (left / "images.npy").write_bytes(b"x")
    store.delete("faces")
    assert not list(store.root.glob(".*.deleted"))
