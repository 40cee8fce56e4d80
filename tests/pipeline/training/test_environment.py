import importlib
import sys
from types import SimpleNamespace

import psutil
import pytest


# Imports Keras, which no process of other tests should have to.
@pytest.mark.xdist_group("tensorflow")
def test_memory_is_measured_where_there_is_no_module_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipeline.training import environment

    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    importlib.reload(environment)
    monkeypatch.setattr(sys, "platform", "win32")
    memory = SimpleNamespace(peak_wset=3 * 2**20)
    monkeypatch.setattr(psutil.Process, "memory_info", lambda process: memory)
    assert environment.peak_memory_mb() == 3
