"""The real FER-2013, for the tests that need it."""

import os
from pathlib import Path

import pytest

from pipeline.dataset import DatasetStore
from pipeline.dataset.readers import import_dataset


@pytest.fixture(scope="session")
def real_csv() -> Path:
    named = os.environ.get("FERLAB_FER2013", "")
    if not named:
        pytest.skip("FERLAB_FER2013 does not name the real FER-2013")
    return Path(named)


@pytest.fixture(scope="session")
def real_votes(real_csv: Path) -> Path:
    found = sorted(real_csv.parent.glob("*fer2013new.csv"))
    if not found:
        pytest.skip("no FER+ votes beside the real FER-2013")
    return found[0]


@pytest.fixture(scope="session")
def real_store(real_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetStore:
    """A store that holds the real FER-2013 as `fer2013`."""
    store = DatasetStore(tmp_path_factory.mktemp("real") / "data")
    import_dataset(real_csv, store)
    return store
