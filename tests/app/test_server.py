import asyncio
import sys
import threading
from pathlib import Path
from threading import Timer

import pytest
import streamlit as st
from streamlit import delta_generator, env_util, net_util
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.server_util import is_url_from_allowed_origins

from app import modules, resources, server
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


def test_first_element_is_shown_without_a_look_for_a_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path))
    monkeypatch.setattr(delta_generator, "_use_warning_has_been_displayed", False)
    looks = []
    monkeypatch.setattr(env_util, "is_repl", lambda: looks.append("a look"))

    async def serve() -> None:
        async with server.lifespan(st.App("streamlit_app.py"), Api(ApiSettings())):
            st.write("the first element")

    asyncio.run(serve())
    assert looks == []


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


def test_while_it_is_up_it_loads_what_pages_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path))
    (tmp_path / "of_some_page.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(modules, "OTHER_PAGES", ("of_some_page",))
    monkeypatch.setattr(modules, "freeze", lambda: None)

    def preloading() -> Timer:
        return next(thread for thread in threading.enumerate() if isinstance(thread, Timer))

    async def serve(delay: float, *, until_loaded: bool) -> Timer:
        monkeypatch.setattr(modules, "PRELOAD_DELAY_S", delay)
        async with server.lifespan(st.App("streamlit_app.py"), Api(ApiSettings())):
            timer = preloading()
            if until_loaded:
                await asyncio.to_thread(timer.join, 30)
            return timer

    # A server that stops before its time does not load anything any more.
    asyncio.run(serve(600.0, until_loaded=False)).join(30)
    assert "of_some_page" not in sys.modules
    asyncio.run(serve(0.1, until_loaded=True))
    assert sys.modules.pop("of_some_page")
