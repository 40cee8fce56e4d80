import pytest

from app.training import costs
from pipeline.home import Home
from pipeline.training.config import TrainingConfig


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]"])
def test_damaged_measurements_are_none(home: Home, content: bytes) -> None:
    (home.root / "training_estimates.json").write_bytes(content)
    assert costs.stored(home, TrainingConfig(), "any") is None
