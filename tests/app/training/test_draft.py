import json
from typing import Any

import pytest

from app.training import draft
from app.training.fields import DEFAULTS
from pipeline.home import Home
from pipeline.training.config import TrainingConfig


def test_starts_as_the_seed_recipe_and_writes_nothing(home: Home) -> None:
    assert draft.load(home) == draft.Draft(None, TrainingConfig().to_dict())
    assert not list(home.root.iterdir())


def test_changes_outlive_the_session(home: Home) -> None:
    draft.change(home, epochs=7)
    draft.choose_dataset(home, "faces")
    draft.change(home, warmup_epochs=2.5)
    found = draft.load(home)
    assert found.dataset == "faces"
    assert found.values == {**DEFAULTS, "epochs": 7, "warmup_epochs": 2.5}


def test_fill_takes_over_a_run(home: Home) -> None:
    draft.change(home, seed=5)
    config = TrainingConfig(architecture="resnet", attention="se", epochs=3)
    draft.fill(home, {**config.to_dict(), "dataset": "faces", "dataset_fingerprint": "f"})
    assert draft.load(home) == draft.Draft("faces", config.to_dict())
    # A preset says nothing of the data.
    draft.fill(home, TrainingConfig().to_dict())
    assert draft.load(home).dataset == "faces"


def test_edits_go_with_the_dataset(home: Home) -> None:
    draft.choose_edits(home, "faces", "latest")
    draft.fill(home, TrainingConfig(epochs=3).to_dict())
    assert draft.load(home).edits == "latest"
    run = {**TrainingConfig().to_dict(), "dataset": "faces"}
    draft.fill(home, {**run, "overlay_version": 3})
    assert draft.load(home).edits == "3"
    draft.choose_dataset(home, "others")
    assert draft.load(home).edits == "none"
    draft.choose_edits(home, "faces", "latest")
    draft.fill(home, run)  # a run from before there was a choice
    assert draft.load(home).edits == "none"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"values": 3}',
        b'{"values": {"epochs": -1, "architecture": "gone"}}',
    ],
)
def test_damage_means_defaults(home: Home, content: bytes) -> None:
    (home.root / "training_draft.json").write_bytes(content)
    assert draft.load(home).values == DEFAULTS


def test_the_sound_part_of_a_damaged_draft_is_kept(home: Home) -> None:
    values: dict[str, Any] = {"epochs": "many", "batch_size": 32, "unheard_of": 1}
    (home.root / "training_draft.json").write_text(json.dumps({"dataset": 3, "values": values}))
    assert draft.load(home) == draft.Draft(None, {**DEFAULTS, "batch_size": 32})
