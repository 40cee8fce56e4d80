import gc
import sys
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from app import modules


def test_what_pages_import_is_there_before_they_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(map(find_spec, modules.AHEAD))
    (tmp_path / "of_some_page.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(modules, "AHEAD", ("of_some_page",))
    monkeypatch.setattr(modules, "SECONDS_UNTIL_IDLE", 0.1)
    modules.import_later().join(30)
    assert sys.modules.pop("of_some_page")


def test_a_server_that_stops_at_once_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "AHEAD", ("no.such.module",))
    timer = modules.import_later()
    timer.cancel()
    timer.join(5)
    assert not timer.is_alive()


class Knot:
    """Becomes garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(modules, "_num_spared", 0)
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_modules_are_spared_once_and_garbage_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "of_a_page", ModuleType("of_a_page"))
    before = weakref.ref(Knot())
    modules.spare()
    assert before() is None
    spared = gc.get_freeze_count()
    assert spared > 10_000
    # Without new modules there is nothing to do: a collection would take its time.
    meanwhile = weakref.ref(Knot())
    modules.spare()
    assert meanwhile() is not None
    assert gc.get_freeze_count() == spared
    # What came since is collected as ever.
    gc.collect()
    assert meanwhile() is None
    # What was spared for a page that was open then is looked at again with the next modules.
    kept = Knot()
    monkeypatch.setitem(sys.modules, "of_another_page", ModuleType("of_another_page"))
    modules.spare()
    gone = weakref.ref(kept)
    del kept
    gc.collect()
    assert gone() is not None
    monkeypatch.delitem(sys.modules, "of_another_page")
    modules.spare()
    assert gone() is None
