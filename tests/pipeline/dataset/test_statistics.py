"""Mean, spread and histogram of each class, against NumPy on all images at once."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import DatasetStore
from pipeline.dataset import statistics as module
from pipeline.dataset.statistics import class_statistics


def test_agrees_with_numpy_over_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IMAGES_AT_ONCE", 4)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (10, 48, 48), np.uint8)
    labels = np.array([0, 0, 3, 3, 3, 3, 0, 6, 6, 3], np.uint8)
    store = DatasetStore(tmp_path)
    with store.writer("faces") as writer:
        writer.append(images, labels, np.zeros(10, np.uint8))
        writer.finish(title="Faces", source="test", kind="test")
    found = class_statistics(store.open("faces"))
    for label in (0, 3, 6):
        own = images[labels == label]
        np.testing.assert_allclose(found.means[label], own.mean(axis=0), atol=1e-3)
        np.testing.assert_allclose(found.deviations[label], own.std(axis=0), atol=1e-2)
        np.testing.assert_array_equal(
            found.histograms[label], np.bincount(own.ravel(), minlength=256)
        )
    assert not found.means[1].any()
    assert not found.histograms[[1, 2, 4, 5]].any()
