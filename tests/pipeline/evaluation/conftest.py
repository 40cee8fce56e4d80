from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.recognition.classifier import EmotionClassifier
from tests.served_models import bar_faces, make_model


@pytest.fixture
def bars(tmp_path: Path) -> Dataset:
    """Bars in the three splits, 140, 70 and 70; seven test images have a twin in train."""
    labels = np.arange(280, dtype=np.uint8) % 7
    images = bar_faces(labels)
    images[210:217] = images[:7]
    store = DatasetStore(tmp_path / "data")
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), [140, 70, 70]))
        writer.finish(title="Bars", source="test", kind="test")
    return store.open("bars")


@pytest.fixture
def classifier(tmp_path: Path) -> EmotionClassifier:
    """Answers every bar rightly."""
    return EmotionClassifier.load(make_model(tmp_path / "model", unsure_below=0.3))
