import asyncio
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from app import resources, server
from app.api.routes import Api
from app.api.settings import ApiSettings
from app.jobs import JobState
from pipeline.progress import Progress


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
