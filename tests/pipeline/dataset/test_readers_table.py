import gzip
import lzma
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import DatasetStore, ferplus
from pipeline.dataset.readers import import_dataset, streams
from pipeline.dataset.readers.table import parse_pixels
from pipeline.errors import DatasetError
from pipeline.progress import Cancelled

HEADERS = ["emotion,pixels,Usage", "emotion, Usage, pixels", "Usage,emotion,pixels"]


def compress_gzip(data):
    return gzip.compress(data, compresslevel=1)


def compress_xz(data):
    return lzma.compress(data, preset=0)


def save(path, text):
    path.write_text(text)
    return path


def with_row(samples, row, **cells):
    """The samples' CSV with cells of one row exchanged; the header is row 1."""
    lines = samples.csv().splitlines()
    emotion, pixels, usage = lines[row - 1].split(",")
    values = {"emotion": emotion, "pixels": pixels, "usage": usage, **cells}
    lines[row - 1] = ",".join(values.values())
    return "\n".join(lines)


@pytest.mark.parametrize("header", HEADERS)
def test_table_is_read_whatever_the_order_of_its_columns(samples, store, tmp_path, header) -> None:
    dataset = import_dataset(save(tmp_path / "fer2013.csv", samples.csv(header)), store)
    np.testing.assert_array_equal(dataset.images, samples.images)
    np.testing.assert_array_equal(dataset.labels, samples.labels)
    np.testing.assert_array_equal(dataset.split_codes, samples.splits)
    assert dataset.meta.kind == "csv"
    assert dataset.meta.notes == ()
    assert dataset.meta.title == "fer2013.csv"
    assert dataset.origin(0) == "row 2"


def test_quotes_byte_order_mark_blank_rows_and_windows_line_ends_do_not_matter(
    samples, store, tmp_path, imported
) -> None:
    rows = [",".join(f'"{cell}"' for cell in row.split(",")) for row in samples.csv().split("\n")]
    text = "\ufeff" + "\r\n".join([rows[0], "", *rows[1:-1], "", ""])
    path = tmp_path / "quoted.csv"
    path.write_bytes(text.encode())
    dataset = import_dataset(path, store, "quoted")
    assert dataset.meta.fingerprint == imported.meta.fingerprint
    assert dataset.origin(0) == "row 3"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("fer2013.csv.gz", compress_gzip), ("fer2013.csv.xz", compress_xz), ("noname", bytes)],
)
def test_packed_table_is_the_same_dataset(samples, store, tmp_path, imported, name, pack) -> None:
    path = tmp_path / name
    path.write_bytes(pack(samples.csv().encode()))
    assert import_dataset(path, store, "packed").meta.fingerprint == imported.meta.fingerprint


def test_more_rows_than_a_batch(samples, store, tmp_path) -> None:
    lines = samples.csv().splitlines()
    path = save(tmp_path / "many.csv", "\n".join([lines[0], *lines[1:] * 32]))
    dataset = import_dataset(path, store)
    assert len(dataset) == 2240
    np.testing.assert_array_equal(dataset.images[2170:], samples.images)


class TestChallenge:
    def test_train_gets_a_stratified_validation_split(self, samples, store, tmp_path) -> None:
        path = save(tmp_path / "train.csv", samples.csv("emotion,pixels"))
        dataset = import_dataset(path, store)
        assert dataset.meta.counts == {
            "train": [9] * 7,
            "validation": [1] * 7,
            "test": [0] * 7,
        }
        assert "10 % of each class of train" in dataset.meta.notes[0]
        assert dataset.meta.notes[-1] == "No test images."
        np.testing.assert_array_equal(dataset.images, samples.images)
        again = import_dataset(path, store)
        assert again.meta.fingerprint == dataset.meta.fingerprint

    def test_test_alone_has_no_labels(self, samples, store, tmp_path) -> None:
        path = save(tmp_path / "test.csv", samples.csv("pixels"))
        with pytest.raises(DatasetError, match=r"test\.csv, row 1: the column 'emotion' is miss"):
            import_dataset(path, store)

    def test_unlabelled_test_beside_train_is_left_out(self, samples, store, tmp_path) -> None:
        save(tmp_path / "train.csv", samples.csv("emotion,pixels"))
        save(tmp_path / "test.csv", samples.csv("pixels"))
        dataset = import_dataset(tmp_path, store)
        assert len(dataset) == 70
        assert "Left out test.csv: it has no labels." in dataset.meta.notes

    def test_labelled_test_beside_train_is_the_test_split(self, samples, store, tmp_path) -> None:
        save(tmp_path / "train.csv", samples.csv("emotion,pixels"))
        save(tmp_path / "test.csv", samples.csv("emotion,pixels"))
        dataset = import_dataset(tmp_path, store)
        assert dataset.meta.counts["validation"] == [1] * 7
        assert dataset.meta.counts["test"] == [10] * 7
        assert dataset.origin(70) == "test.csv row 2"

    @pytest.mark.parametrize("complete", ["fer2013.csv", "icml_face_data.csv"])
    def test_complete_table_is_preferred(
        self, samples, store, tmp_path, imported, complete
    ) -> None:
        (tmp_path / "fer2013.csv").unlink()
        save(tmp_path / complete, samples.csv("emotion, Usage, pixels"))
        save(tmp_path / "train.csv", samples.csv("emotion,pixels"))
        save(tmp_path / "test.csv", samples.csv("pixels"))
        save(tmp_path / "example_submission.csv", "emotion\n")
        dataset = import_dataset(tmp_path, store, "challenge")
        assert dataset.meta.fingerprint == imported.meta.fingerprint
        assert dataset.meta.notes == (f"Left out test.csv: {complete} is complete.",)


GOOD = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD[2:], r"expected 2304 pixels \(48×48\), got 2303"),
        (GOOD + " 7", r"expected 2304 pixels \(48×48\), got 2305"),
        ("256" + GOOD[1:], "pixel 1 is 256: expected 0 to 255"),
        (GOOD[:-1] + "-1", "pixel 2304 is -1: expected 0 to 255"),
        # These would wrap around to 5 in 8, 32 and 64 bits.
        ("261" + GOOD[1:], "pixel 1 is 261"),
        ("4294967301" + GOOD[1:], "pixel 1 is 4294967301"),
        ("18446744073709551621" + GOOD[1:], "pixel 1 is 18446744073709551621"),
        ("7.5" + GOOD[1:], "pixel 1 is '7.5': expected a whole number"),
        ("x" + GOOD[1:], "pixel 1 is 'x': expected a whole number"),
        ("²" + GOOD[1:], "pixel 1 is '²': expected a whole number"),
        ("7;" + GOOD[2:], "pixel 1 is '7;7': expected a whole number"),
        ("", "expected 2304 pixels"),
        (" ", "expected 2304 pixels"),
    ],
)
def test_bad_pixels_are_refused_with_the_reason(samples, store, tmp_path, text, reason) -> None:
    path = save(tmp_path / "fer.csv", with_row(samples, 71, pixels=text))
    with pytest.raises(DatasetError, match=rf"^fer\.csv, row 71: {reason}"):
        import_dataset(path, store)
    assert store.names() == []


def test_any_white_space_parts_pixels(samples) -> None:
    text = samples.pixels(3).replace(" ", "  ", 1) + " "
    np.testing.assert_array_equal(parse_pixels(text), samples.images[3])


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"emotion": "7"}, "unknown label '7': expected 0 to 6"),
        ({"emotion": "-1"}, "unknown label '-1'"),
        ({"emotion": ""}, "unknown label ''"),
        ({"usage": "Secret"}, "unknown Usage 'Secret': expected one of Training, PublicTest"),
        ({"usage": "Training,more"}, "expected 3 columns, got 4"),
    ],
)
def test_bad_row_is_named(samples, store, tmp_path, cells, reason) -> None:
    path = save(tmp_path / "fer.csv", with_row(samples, 3, **cells))
    with pytest.raises(DatasetError, match=rf"^fer\.csv, row 3: {reason}"):
        import_dataset(path, store)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "fer.csv: the file is empty"),
        (b"\n\n", "fer.csv: the table is empty"),
        (b"emotion,pixels,Usage\n", "fer.csv: no image found"),
        (b"emotion,pixels\n", "fer.csv: no image found"),
        (b"a,b\n1,2\n", "fer.csv, row 1: expected a header with .* got 'a', 'b'"),
        (b"\x89PNG\r\n\x1a\n\x00", "fer.csv, row 1: not text; is this a CSV"),
        (b"emotion,pixels\n\xff,1", "fer.csv, row 2: not text"),
        (b"emotion,pixels\n0," + b"1 " * 40_000, "row 2: longer than 64 KiB"),
        (gzip.compress(b"", mtime=0), "fer.csv: the table is empty"),
    ],
)
def test_file_that_is_no_table_is_one_clear_line(store, tmp_path, content, message) -> None:
    path = tmp_path / "fer.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        import_dataset(path, store)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [compress_gzip, compress_xz])
@pytest.mark.parametrize("share", [0.5, 0.999])
def test_truncated_file_leaves_the_earlier_import(
    samples, store, tmp_path, imported, pack, share
) -> None:
    data = pack(samples.csv().encode())
    path = tmp_path / "cut.csv.xz"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DatasetError, match=r"^cut\.csv\.xz: cut short"):
        import_dataset(path, store)
    assert store.open("fer2013").meta == imported.meta
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == ["fer2013"]


@pytest.mark.parametrize("pack", [compress_gzip, compress_xz])
def test_bomb_is_refused_by_its_ratio(store, tmp_path, pack) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(pack(b"emotion,pixels\n" + f"0,{GOOD}\n".encode() * 8000))
    with pytest.raises(DatasetError, match="more than 100 times its size; refused"):
        import_dataset(path, store)


def test_bomb_is_refused_by_its_size(samples, store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(streams, "MAX_UNPACKED_BYTES", 2**18)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(compress_gzip(samples.csv().encode()))
    with pytest.raises(DatasetError, match="GiB; refused as a decompression bomb"):
        import_dataset(path, store)


def test_cancelling_leaves_the_earlier_import(samples, store, tmp_path, imported) -> None:
    def stop(done, total, text=""):
        assert done <= total
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        import_dataset(tmp_path / "fer2013.csv", store, progress=stop)
    assert store.open("fer2013").meta == imported.meta
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == ["fer2013"]


def test_home_that_cannot_be_written_is_one_clear_error(samples, tmp_path, imported) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot write the dataset 'fer2013'"):
        import_dataset(tmp_path / "fer2013.csv", DatasetStore(tmp_path / "file" / "data"))


def test_missing_source_is_told(store, tmp_path) -> None:
    with pytest.raises(DatasetError, match="no such file or folder"):
        import_dataset(tmp_path / "nothing.csv", store)
    with pytest.raises(DatasetError, match="neither a file nor a folder"):
        import_dataset(Path(os.devnull), store)


class TestVotes:
    @pytest.fixture
    def votes(self, samples, tmp_path):
        rows = [",".join(["Usage", "Image name", *ferplus.COLUMNS])]
        rows += [f"{samples.usage(i)},f{i}.png,{i % 10},0,0,0,1,0,0,0,0,0" for i in range(70)]
        return save(tmp_path / "fer2013new.csv", "\n".join(rows))

    def test_are_attached_on_import(self, samples, store, tmp_path, votes) -> None:
        dataset = import_dataset(
            save(tmp_path / "fer2013.csv", samples.csv()), store, title="Faces", votes=votes
        )
        np.testing.assert_array_equal(dataset.votes[:, 0], np.arange(70) % 10)
        assert dataset.meta.title == "Faces"
        assert dataset.meta.votes_source == str(votes)

    def test_that_do_not_fit_leave_the_earlier_import(
        self, store, tmp_path, imported, votes
    ) -> None:
        votes.write_text(votes.read_text().replace("PublicTest", "Training", 1))
        with pytest.raises(DatasetError, match=r"fer2013new\.csv, row 51: Usage is Training"):
            import_dataset(tmp_path / "fer2013.csv", store, votes=votes)
        assert store.open("fer2013").meta == imported.meta


@pytest.mark.real_data
class TestRealData:
    COUNTS = {  # noqa: RUF012
        "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
        "validation": [467, 56, 496, 895, 653, 415, 607],
        "test": [491, 55, 528, 879, 594, 416, 626],
    }

    def test_counts_are_the_published_ones(self, real_store) -> None:
        meta = real_store.open("fer2013").meta
        assert (meta.title, meta.num_samples) == ("FER-2013", 35_887)
        assert meta.counts == self.COUNTS

    def test_first_and_last_pixels_are_those_of_the_file(self, real_store, real_csv) -> None:
        images = real_store.open("fer2013").images
        with lzma.open(real_csv, "rt") as file:
            next(file)
            assert next(file).split(",")[1] == " ".join(map(str, images[0].ravel()))

    def test_reopening_takes_under_50_ms(self, real_store) -> None:
        start = time.perf_counter()
        dataset = DatasetStore(real_store.root).open("fer2013")
        assert dataset.images[-1].shape == (48, 48)
        assert time.perf_counter() - start < 0.05

    def test_failed_import_leaves_it_as_it_was(self, real_store, tmp_path) -> None:
        before = real_store.open("fer2013").meta
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            archive.writestr("fer2013.csv", "emotion,pixels,Usage\n0,1 2 3,Training\n")
        with pytest.raises(DatasetError, match=r"bad\.zip, fer2013\.csv, row 2: expected 2304"):
            import_dataset(tmp_path / "bad.zip", real_store)
        assert real_store.open("fer2013").meta == before
