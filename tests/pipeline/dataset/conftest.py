"""Small datasets in every form that the readers know, and the real one where there is one."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset import SPLITS, Dataset, DatasetStore
from pipeline.dataset.readers import import_dataset
from pipeline.labels import NAMES


@dataclass(frozen=True)
class Samples:
    """Random images with labels and splits, and how each form writes them."""

    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, index: int) -> str:
        return " ".join(map(str, self.images[index].ravel()))

    def usage(self, index: int) -> str:
        return SPLITS[self.splits[index]].usage

    def csv(self, header: str = "emotion,pixels,Usage") -> str:
        columns = [column.strip().lower() for column in header.split(",")]
        rows = [header]
        for index in range(len(self)):
            cells = {
                "emotion": str(self.labels[index]),
                "pixels": self.pixels(index),
                "usage": self.usage(index),
            }
            rows.append(",".join(cells[column] for column in columns))
        return "\n".join(rows) + "\n"

    def png(self, index: int) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.images[index]).save(file, "PNG")
        return file.getvalue()

    def files(self) -> dict[str, bytes]:
        """As Kaggle's image folder has them: validation and test lie in one folder."""
        return {
            f"{'train' if self.splits[index] == 0 else 'test'}/{NAMES[self.labels[index]]}/"
            f"{self.usage(index)}_{index}.png": self.png(index)
            for index in range(len(self))
        }

    def class_files(self) -> dict[str, bytes]:
        """In folders that name the class and nothing else."""
        return {
            f"{NAMES[self.labels[index]]}/{index}.png": self.png(index)
            for index in range(len(self))
        }


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


@pytest.fixture
def write() -> Callable[[Path, dict[str, bytes]], Path]:
    return write_files


@pytest.fixture(scope="session")
def samples() -> Samples:
    """70 images, 10 of each class; the first one has the darkest and the brightest grey."""
    generator = np.random.default_rng(7)
    images = generator.integers(0, 256, (70, 48, 48), dtype=np.uint8)
    images[0, 0, :2] = 0, 255
    labels = np.arange(70, dtype=np.uint8) % 7
    splits = np.repeat(np.arange(3, dtype=np.uint8), (49, 7, 14))
    return Samples(images, labels, splits)


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "data")


@pytest.fixture
def imported(samples: Samples, store: DatasetStore, tmp_path: Path) -> Dataset:
    """The samples, imported from a CSV as `fer2013`."""
    path = tmp_path / "fer2013.csv"
    path.write_text(samples.csv())
    return import_dataset(path, store)
