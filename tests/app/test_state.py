import json

import numpy as np
import pytest

from app.state import Preferences, active_dataset, load_preferences, remember
from pipeline.dataset import DatasetStore
from pipeline.files import write_json
from pipeline.home import Home


def write(home: Home, name: str, *, synthetic: bool = False) -> None:
    with DatasetStore(home.data).writer(name) as writer:
        one = np.zeros(1, np.uint8)
        writer.append(np.zeros((1, 48, 48), np.uint8), one, one)
        writer.finish(title=name, source="test", kind="csv", synthetic=synthetic)


def test_choice_outlives_the_session(home: Home) -> None:
    write(home, "a")
    write(home, "b")
    remember(home, active_dataset="b")
    assert active_dataset(home, DatasetStore(home.data)) == "b"


def test_photographs_come_before_drawings(home: Home) -> None:
    write(home, "demo", synthetic=True)
    write(home, "fer2013")
    assert active_dataset(home, DatasetStore(home.data)) == "fer2013"


def test_deleted_choice_gives_way(home: Home) -> None:
    write(home, "a")
    write(home, "b")
    remember(home, active_dataset="b")
    DatasetStore(home.data).delete("b")
    assert active_dataset(home, DatasetStore(home.data)) == "a"


def test_nothing_is_active_in_an_empty_home(home: Home) -> None:
    assert active_dataset(home, DatasetStore(home.data)) is None


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'"a"', b'{"of_a_later_version": 1}', b"\xff\xfe"]
)
def test_unreadable_preferences_are_the_defaults(home: Home, content: bytes) -> None:
    (home.root / "dashboard.json").write_bytes(content)
    assert load_preferences(home) == Preferences()


def test_a_choice_of_the_wrong_type_is_the_default_and_the_others_stay(home: Home) -> None:
    path, settings = home.root / "dashboard.json", {"detector": "ssd"}
    write_json(path, {"active_dataset": 7, "recognition": settings, "first_steps": None})
    assert load_preferences(home) == Preferences(None, settings, [])
    write_json(path, {"active_dataset": "a", "recognition": [], "first_steps": ["live", {}]})
    assert load_preferences(home) == Preferences("a", {}, ["live"])


def test_remember_writes_readable_json(home: Home) -> None:
    remember(home, active_dataset="x")
    stored = json.loads((home.root / "dashboard.json").read_text())
    assert stored["active_dataset"] == "x"
