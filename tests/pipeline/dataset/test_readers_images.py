import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.readers import contents, images, import_dataset
from pipeline.errors import DatasetError


def encoded(array, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def test_kaggle_folder_is_the_same_dataset_as_the_table(
    samples, store, tmp_path, imported, write
) -> None:
    """The numbers in the file names keep the rows' order."""
    dataset = import_dataset(write(tmp_path / "images", samples.files()), store, "images")
    assert dataset.meta.fingerprint == imported.meta.fingerprint
    assert dataset.meta.kind == "images"
    assert dataset.meta.notes == ()
    assert dataset.origin(69) == "test/neutral/PrivateTest_69.png"


def test_folders_tell_the_split_where_names_do_not(samples, store, tmp_path, write) -> None:
    files = {}
    for name, data in samples.files().items():
        folder, label, file = name.split("/")
        files[f"archive/{folder.title()}/{label}/{file.split('_')[1]}"] = data
    dataset = import_dataset(write(tmp_path / "images", files), store)
    assert dataset.meta.counts["test"] == [3] * 7
    assert dataset.meta.counts["validation"] == [1] * 7
    assert dataset.meta.counts["train"] == [6] * 7
    assert "10 % of each class of train" in dataset.meta.notes[0]


def test_validation_folder_is_kept(samples, store, tmp_path, write) -> None:
    files = {
        f"{('train', 'val', 'test')[samples.splits[i]]}/{samples.labels[i]}/{i}.png": samples.png(i)
        for i in range(70)
    }
    dataset = import_dataset(write(tmp_path / "images", files), store)
    np.testing.assert_array_equal(dataset.split_codes, samples.splits)
    assert dataset.meta.notes == ()


def test_class_folders_alone_are_split_80_10_10(samples, store, tmp_path, write) -> None:
    dataset = import_dataset(write(tmp_path / "images", samples.class_files()), store)
    assert dataset.meta.counts == {"train": [8] * 7, "validation": [1] * 7, "test": [1] * 7}
    np.testing.assert_array_equal(dataset.images, samples.images)
    again = import_dataset(tmp_path / "images", store, "again")
    np.testing.assert_array_equal(again.split_codes, dataset.split_codes)


def test_other_files_and_hidden_ones_are_passed_over(
    samples, store, tmp_path, imported, write
) -> None:
    files = samples.files()
    more = {
        "README.md": b"",
        ".cache/angry/1.png": b"x",
        "__MACOSX/train/angry/._1.png": b"x",
        "train/angry/.DS_Store": b"x",
        "train/angry/Thumbs.db": b"x",
    }
    dataset = import_dataset(write(tmp_path / "images", {**files, **more}), store, "images")
    assert dataset.meta.fingerprint == imported.meta.fingerprint


def test_linked_files_are_followed(samples, store, tmp_path, imported, write) -> None:
    """As in the cache of huggingface_hub."""
    blobs = write(tmp_path / "blobs", samples.files())
    for name in samples.files():
        link = tmp_path / "linked" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blobs / name)
    dataset = import_dataset(tmp_path / "linked", store, "linked")
    assert dataset.meta.fingerprint == imported.meta.fingerprint


class TestConversion:
    def test_is_to_grey_and_48_pixels_and_is_noted(self, store, tmp_path, write) -> None:
        colour = np.zeros((96, 96, 3), np.uint8)
        colour[..., 0] = 200
        files = {
            "angry/1.png": encoded(colour),
            "angry/2.jpg": encoded(np.full((24, 30), 90, np.uint8), "JPEG"),
            "happy/3.bmp": encoded(np.full((48, 48), 7, np.uint8), "BMP"),
        }
        dataset = import_dataset(write(tmp_path / "images", files), store)
        # ITU-R BT.601: 0.299 of the red.
        np.testing.assert_array_equal(dataset.images[0], np.full((48, 48), 60))
        np.testing.assert_array_equal(dataset.images[1], np.full((48, 48), 90))
        np.testing.assert_array_equal(dataset.images[2], np.full((48, 48), 7))
        assert dataset.meta.notes[0].startswith("2 of 3 images were not 48×48 grey")

    def test_shrinking_averages_areas(self) -> None:
        checks = np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((1, 1), np.uint8))
        image, converted = images.decode(encoded(np.tile(checks, (48, 48))), "x.png")
        assert converted
        assert set(np.unique(image)) <= {127, 128}

    def test_of_deep_colour_the_upper_bits_count(self) -> None:
        deep = np.full((48, 48, 3), (257 * 200, 257 * 10 + 255, 0), np.uint16)
        image, converted = images.decode(cv2.imencode(".png", deep[..., ::-1])[1].tobytes(), "x")
        assert converted
        np.testing.assert_array_equal(image, np.full((48, 48), 66))

    def test_turns_photos_upright(self) -> None:
        array = np.zeros((48, 48), np.uint8)
        array[:24] = 255
        exif = Image.Exif()
        exif[0x0112] = 3  # upside down
        image, _ = images.decode(encoded(array, exif=exif), "x.png")
        np.testing.assert_array_equal(image, array[::-1])

    def test_palette_with_transparency(self) -> None:
        picture = Image.fromarray(np.full((50, 50), 80, np.uint8)).convert("P")
        file = io.BytesIO()
        picture.save(file, "PNG", transparency=0)
        image, _ = images.decode(file.getvalue(), "x.png")
        np.testing.assert_array_equal(image, np.full((48, 48), 80))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("contempt/1.png", "pictures/contempt/1.png: .* unknown label 'contempt'"),
        ("1.png", "pictures/1.png: its folder should name the class; unknown label ''"),
        ("train/1.png", "pictures/train/1.png: .* unknown label 'train'"),
    ],
)
def test_unknown_class_names_the_file(samples, store, tmp_path, write, name, message) -> None:
    with pytest.raises(DatasetError, match=message):
        import_dataset(write(tmp_path / "pictures", {name: samples.png(0)}), store)


def test_split_folders_beside_class_folders_are_refused(samples, store, tmp_path, write) -> None:
    files = {"train/angry/1.png": samples.png(0), "happy/2.png": samples.png(1)}
    with pytest.raises(DatasetError, match=r"others do not, such as happy/2\.png"):
        import_dataset(write(tmp_path / "images", files), store)


def test_folder_that_holds_its_copy_is_refused(samples, store, tmp_path, write) -> None:
    """As one of Kaggle's archives does: every image would count twice."""
    files = {
        "images/train/angry/1.png": samples.png(0),
        "images/images/train/angry/1.png": samples.png(0),
    }
    with pytest.raises(DatasetError, match="more than one dataset, in 'images' and 'images/im"):
        import_dataset(write(tmp_path / "twice", files), store)


def huge_png():
    """A PNG of a few hundred bytes that claims 30,000 × 30,000 pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def broken_png(samples):
    data = bytearray(samples.png(0))
    data[60:90] = bytes(30)
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda s: b"", "not an image that can be read"),
        (lambda s: b"GIF89a" + bytes(99), "not an image that can be read"),
        (lambda s: s.png(0)[:900], "damaged image"),
        (broken_png, "damaged image"),
        (lambda s: huge_png(), "(30000×30000 pixels|damaged image .*bomb)"),
        (lambda s: encoded(np.full((48, 48), 40_000, np.uint16)), "more than 8 bits a channel"),
    ],
)
def test_bad_image_is_named(samples, store, tmp_path, write, make, reason) -> None:
    files = {"angry/1.png": samples.png(0), "happy/2.png": make(samples)}
    with pytest.raises(DatasetError, match=f"^faces/happy/2.png: {reason}"):
        import_dataset(write(tmp_path / "faces", files), store)
    assert store.names() == []


def test_too_large_a_file_is_refused_unread(samples, store, tmp_path, write, monkeypatch) -> None:
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 1000)
    with pytest.raises(DatasetError, match=r"faces/angry/1\.png: larger than"):
        import_dataset(write(tmp_path / "faces", {"angry/1.png": samples.png(0)}), store)


def test_folder_of_something_else_is_told(store, tmp_path, write) -> None:
    with pytest.raises(DatasetError, match="found none among 1 files"):
        import_dataset(write(tmp_path / "docs", {"a.txt": b"x"}), store)


def test_folder_with_an_archive_names_it(store, tmp_path, write) -> None:
    with pytest.raises(DatasetError, match=r"import docs/fer2013\.tar\.gz instead"):
        import_dataset(write(tmp_path / "docs", {"fer2013.tar.gz": b"x"}), store)


def test_several_unknown_tables_are_told(store, tmp_path, write) -> None:
    with pytest.raises(DatasetError, match=r"which table is the dataset \(a\.csv, b\.csv\)"):
        import_dataset(write(tmp_path / "docs", {"a.csv": b"x", "b.csv": b"x"}), store)


def test_folder_with_too_many_files_is_refused(
    samples, store, tmp_path, write, monkeypatch
) -> None:
    monkeypatch.setattr(contents, "MAX_MEMBERS", 50)
    with pytest.raises(DatasetError, match="holds more than 50 files"):
        import_dataset(write(tmp_path / "faces", samples.files()), store)


def test_progress_counts_the_images(samples, store, tmp_path, write) -> None:
    told = []
    import_dataset(
        write(tmp_path / "faces", samples.files()),
        store,
        progress=lambda done, total, text="": told.append((done, total)),
    )
    assert told[-1] == (70, 70)
