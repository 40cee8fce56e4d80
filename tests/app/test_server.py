import asyncio
from pathlib import Path

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
