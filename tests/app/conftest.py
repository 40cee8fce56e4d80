from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def dataset(home: Home) -> Dataset:
    """Twelve faces, each as bright as its index; no disgust, one surprise."""
    labels = np.array([0, 0, 2, 2, 3, 3, 3, 4, 4, 5, 6, 6], np.uint8)
    images = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((1, 48, 48), np.uint8)
    store = DatasetStore(home.data)
    with store.writer("faces") as writer:
        writer.append(images, labels, (np.arange(12) % 3).astype(np.uint8))
        writer.finish(title="Faces", source="test", kind="csv")
    return store.open("faces")
