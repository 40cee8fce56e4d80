from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def bars(home: Home) -> Dataset:
    """Noise with one bright bar whose place is the class: learned in seconds."""
    rng = np.random.default_rng(0)
    labels = np.arange(350, dtype=np.uint8) % 7
    images = rng.integers(0, 80, (350, 48, 48), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 6, 8:40] += 120
    splits = np.repeat(np.arange(3, dtype=np.uint8), [210, 70, 70])
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(images, labels, splits)
        writer.finish(title="Bars", source="test", kind="test")
    return store.open("bars")
