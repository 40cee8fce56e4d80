import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import pytest

from app import modules
from pipeline.home import PROJECT_ROOT

IMPORTED_BY_OVERVIEW = """
import ast, sys
from pathlib import Path
import streamlit_app
from app import modules

modules.load_first_page()
loaded = set(sys.modules)
page = ast.parse(Path("pages/overview.py").read_text(encoding="utf-8"))
page.body = [node for node in page.body if isinstance(node, ast.Import | ast.ImportFrom)]
exec(compile(page, "overview", "exec"))
print(sorted(set(sys.modules) - loaded))
"""


CHART_WHILE_PANDAS_IS_LOADED = """
import importlib, sys, threading, time
from importlib.abc import MetaPathFinder
import plotly.graph_objects as go
from app import modules

begun = threading.Event()

class Slow(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pandas.core.api":
            begun.set()
            time.sleep(0.5)

sys.meta_path.insert(0, Slow())
threading.Thread(target=importlib.import_module, args=("pandas",)).start()
begun.wait()
assert "pandas" in sys.modules
{wait}
go.Figure().add_bar(x=[1], hovertemplate="%{{x}}")
"""


class Knot:
    """Becomes garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(modules, "_num_frozen", 0)
    monkeypatch.setattr(modules, "_frozen_at", 0.0)
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page does that is opened for the first time: it brings a module."""
    monkeypatch.setitem(sys.modules, "of_a_page", ModuleType("of_a_page"))


@pytest.mark.parametrize(("wait", "is_drawn"), [("modules.load_pandas()", True), ("", False)])
def test_a_chart_waits_until_pandas_is_whole(wait: str, is_drawn: bool) -> None:
    found = subprocess.run(
        [sys.executable, "-c", CHART_WHILE_PANDAS_IS_LOADED.format(wait=wait)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
    )
    # When plotly can do without, so can `load_pandas`.
    assert ("partially initialized module 'pandas'" in found.stderr) is not is_drawn
    assert (found.returncode == 0) is is_drawn


def test_what_is_preloaded_is_there() -> None:
    assert all(map(find_spec, (*modules.FIRST_PAGE, *modules.OTHER_PAGES)))


def test_overview_imports_nothing_that_the_server_has_not_loaded() -> None:
    found = subprocess.run(
        [sys.executable, "-c", IMPORTED_BY_OVERVIEW],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.usefixtures("open_page")
def test_garbage_is_collected_before_the_rest_is_frozen() -> None:
    garbage = weakref.ref(Knot())
    modules.freeze()
    assert garbage() is None
    assert gc.get_freeze_count() > 10_000


@pytest.mark.usefixtures("open_page")
def test_without_new_modules_nothing_is_done_and_new_garbage_is_collected_as_ever() -> None:
    modules.freeze()
    frozen = gc.get_freeze_count()
    garbage = weakref.ref(Knot())
    modules.freeze()
    assert garbage() is not None
    assert gc.get_freeze_count() == frozen
    gc.collect()
    assert garbage() is None


@pytest.mark.usefixtures("open_page")
@pytest.mark.parametrize("later", ["a new module", "after a while"])
def test_what_was_frozen_while_in_use_is_looked_at_again(
    later: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_a_visitor = Knot()
    modules.freeze()
    garbage = weakref.ref(of_a_visitor)
    del of_a_visitor
    gc.collect()
    assert garbage() is not None
    if later == "a new module":
        monkeypatch.setitem(sys.modules, "of_another_page", ModuleType("of_another_page"))
    else:
        monkeypatch.setattr(modules, "_FROZEN_FOR_S", 0.0)
    modules.freeze()
    assert garbage() is None
