import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from pipeline.dataset.readers import import_dataset
from pipeline.errors import DatasetError
from pipeline.labels import NAMES


def save(path, columns, class_names=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns)
    if class_names:
        features = {"label": {"names": list(class_names), "_type": "ClassLabel"}}
        about = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": about})
    pyarrow.parquet.write_table(table, path)
    return path


def images(samples, indices=range(70)):
    return [{"bytes": samples.png(index), "path": f"{index}.png"} for index in indices]


def test_one_file_is_split_80_10_10(samples, store, tmp_path) -> None:
    path = save(tmp_path / "fer.parquet", {"image": images(samples), "label": samples.labels})
    dataset = import_dataset(path, store)
    np.testing.assert_array_equal(dataset.images, samples.images)
    np.testing.assert_array_equal(dataset.labels, samples.labels)
    assert dataset.meta.counts == {"train": [8] * 7, "validation": [1] * 7, "test": [1] * 7}
    assert dataset.meta.kind == "parquet"
    assert dataset.meta.notes[0].startswith("The file does not name its classes: labels 0 to 6 me")
    assert dataset.origin(3) == "fer.parquet row 4"


def test_class_names_of_the_file_are_used(samples, store, tmp_path) -> None:
    """Folders read by the `datasets` library get their classes in alphabetical order."""
    names = sorted(NAMES)
    labels = [names.index(NAMES[label]) for label in samples.labels]
    path = save(tmp_path / "fer.parquet", {"image": images(samples), "label": labels}, names)
    dataset = import_dataset(path, store)
    np.testing.assert_array_equal(dataset.labels, samples.labels)
    assert not any("does not name" in note for note in dataset.meta.notes)


def test_files_of_a_folder_tell_the_split(samples, store, tmp_path) -> None:
    for number, split in enumerate(("train", "validation", "test")):
        indices = np.flatnonzero(samples.splits == number)
        columns = {
            "img_bytes": [samples.png(index) for index in indices],
            "labels": [NAMES[samples.labels[index]] for index in indices],
        }
        save(tmp_path / "fer" / "data" / f"{split}-00000-of-00001.parquet", columns)
    dataset = import_dataset(tmp_path / "fer", store)
    assert dataset.meta.counts == {"train": [7] * 7, "validation": [1] * 7, "test": [2] * 7}
    np.testing.assert_array_equal(dataset.images[dataset.split_codes == 1], samples.images[49:56])


def test_usage_column_tells_the_split(samples, store, tmp_path, imported) -> None:
    columns = {
        "image": images(samples),
        "emotion": samples.labels,
        "usage": [samples.usage(index) for index in range(70)],
    }
    dataset = import_dataset(save(tmp_path / "fer.parquet", columns), store, "parquet")
    assert dataset.meta.fingerprint == imported.meta.fingerprint


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1], "b": [2]}, "expected a column 'image' .* got a, b"),
        ({"image": [b"x"], "label": [0]}, "row 1: not an image"),
        ({"image": [None], "label": [0]}, "row 1: expected an encoded image, got NoneType"),
        ({"image": ["PNG"], "label": [7]}, "row 1: unknown label '7'"),
        ({"image": ["PNG"], "label": ["odd"]}, "row 1: unknown label 'odd'"),
        ({"image": ["PNG"], "label": [None]}, "row 1: unknown label 'None'"),
        ({"image": ["PNG"], "label": [0], "split": ["x"]}, "row 1: unknown Usage 'x'"),
    ],
)
def test_bad_file_is_named_with_row_and_reason(samples, store, tmp_path, columns, message) -> None:
    if columns.get("image") == ["PNG"]:
        columns = {**columns, "image": [samples.png(0)]}
    with pytest.raises(DatasetError, match=rf"^fer\.parquet(, |: ){message}"):
        import_dataset(save(tmp_path / "fer.parquet", columns), store)


def test_number_beyond_the_class_names_is_refused(samples, store, tmp_path) -> None:
    columns = {"image": images(samples, [0]), "label": [9]}
    path = save(tmp_path / "fer.parquet", columns, NAMES)
    with pytest.raises(DatasetError, match="unknown label 9: the file names 7 classes"):
        import_dataset(path, store)


def test_truncated_file_is_told(samples, store, tmp_path) -> None:
    path = save(tmp_path / "fer.parquet", {"image": images(samples), "label": samples.labels})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"^fer\.parquet: damaged or cut short"):
        import_dataset(path, store)


def test_archive_of_parquet_files_is_told(store, tmp_path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "fer.zip", "w") as archive:
        archive.writestr("train.parquet", b"PAR1")
    with pytest.raises(DatasetError, match="unpack it and import the folder"):
        import_dataset(tmp_path / "fer.zip", store)
