import json
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.dataset import DatasetStore
from pipeline.home import Home

pytestmark = pytest.mark.slow

Command = Callable[..., int]


@pytest.fixture
def faces(home: Home) -> None:
    labels = (np.arange(42) % 7).astype(np.uint8)
    with DatasetStore(home.data).writer("faces") as writer:
        writer.append(
            np.zeros((42, 48, 48), np.uint8), labels, (np.arange(42) % 3).astype(np.uint8)
        )
        writer.finish(title="Faces", source="test", kind="test")


@pytest.mark.xdist_group("tensorflow")
def test_prints_json_and_nothing_else(
    faces: None, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = json.dumps({"architecture": "simple_cnn", "width": 0.25, "batch_size": 4})
    assert command("estimate", "--settings", settings) == 0
    found = json.loads(capsys.readouterr().out)
    # A quarter of the filters leaves the dense layer with about a sixteenth of its weights.
    assert 683_527 / 20 < found["num_parameters"] < 683_527 / 12
    assert found["seconds_per_epoch"] > 0


def test_a_setting_out_of_its_range_is_one_line(
    faces: None, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("estimate", "--settings", '{"epochs": 0}') == 1
    error = capsys.readouterr().err
    assert error.startswith("error: epochs must be in")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attention": "se"}, "error: seed_cnn does not use attention"),
        ({"soft_labels": 0.5}, "error: soft_labels needs FER+ votes"),
    ],
)
def test_settings_that_do_not_fit_are_told_before_keras_is_loaded(
    faces: None, command: Command, capsys: pytest.CaptureFixture[str],
    settings: dict[str, object], message: str,
) -> None:  # fmt: skip
    assert command("estimate", "--settings", json.dumps(settings)) == 1
    assert capsys.readouterr().err.startswith(message)
