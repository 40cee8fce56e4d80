import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st
from streamlit import net_util
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.server_util import is_url_from_allowed_origins

from app import resources, server
from app.api.routes import Api
from app.api.settings import ApiSettings
from app.jobs import JobState
from pipeline.progress import Progress


def test_page_of_another_site_is_refused_without_asking_the_internet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path))
    asked = []
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, **_: asked.append(url))

    async def serve() -> bool:
        async with server.lifespan(st.App("streamlit_app.py"), Api(ApiSettings())):
            return is_url_from_allowed_origins("https://elsewhere.example")

    assert not asyncio.run(serve())
    assert asked == []


def test_server_starts_with_the_router_and_stops_with_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path))
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)

    def endless(progress: Progress) -> str:
        while True:
            progress(0, None)

    of_dead_server = tmp_path / "data" / f".upload-{2**22 + 1}-abc"
    of_dead_server.mkdir(parents=True)

    async def serve() -> None:
        async with server.lifespan(st.App("streamlit_app.py"), Api(ApiSettings())):
            assert PagesManager.uses_pages_directory is False
            assert not of_dead_server.exists()
            resources.jobs().start("endless", "Endless", endless)

    asyncio.run(serve())
    assert resources.jobs().list()[0].state is JobState.CANCELLED


class Knot:
    """Becomes garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_modules_are_spared_once_and_garbage_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "of_a_page", ModuleType("of_a_page"))
    before = weakref.ref(Knot())
    server.spare_modules()
    assert before() is None
    spared = gc.get_freeze_count()
    assert spared > 10_000
    # Without new modules there is nothing to do: a collection would take its time.
    meanwhile = weakref.ref(Knot())
    server.spare_modules()
    assert meanwhile() is not None
    assert gc.get_freeze_count() == spared
    # What came since is collected as ever.
    gc.collect()
    assert meanwhile() is None
    # What was spared for a page that was open then is looked at again with the next modules.
    kept = Knot()
    monkeypatch.setitem(sys.modules, "of_another_page", ModuleType("of_another_page"))
    server.spare_modules()
    gone = weakref.ref(kept)
    del kept
    gc.collect()
    assert gone() is not None
    monkeypatch.delitem(sys.modules, "of_another_page")
    server.spare_modules()
    assert gone() is None
