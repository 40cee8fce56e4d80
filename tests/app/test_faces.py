import numpy as np
import pytest

from app.faces import montage, sample_faces
from pipeline.dataset import Dataset


def test_faces_are_of_their_class(dataset: Dataset) -> None:
    chosen = sample_faces(dataset, per_class=2)
    assert [len(faces) for faces in chosen] == [2, 0, 2, 2, 2, 1, 2]
    # In the fixture, an image is as bright as its index.
    for label, faces in enumerate(chosen):
        indices = faces[:, 0, 0]
        assert (dataset.labels[indices] == label).all()
        assert len(set(indices.tolist())) == len(indices)


def test_same_seed_same_faces(dataset: Dataset) -> None:
    first, again = (sample_faces(dataset, per_class=2, seed=3) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("number", "rows"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_montage_reads_row_by_row(number: int, rows: int) -> None:
    faces = np.arange(1, number + 1, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 5), np.uint8)
    sheet = montage(faces, columns=2)
    assert sheet.shape == (rows * 4, 10)
    for index in range(rows * 2):
        row, column = divmod(index, 2)
        tile = sheet[row * 4 : row * 4 + 4, column * 5 : column * 5 + 5]
        assert (tile == (index + 1 if index < number else 128)).all()
