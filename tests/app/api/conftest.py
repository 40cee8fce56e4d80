import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import streamlit as st
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from app import resources
from app.api.routes import Api
from app.api.settings import ApiSettings
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import make_model


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with one small model."""
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path / "home"))
    make_model(tmp_path / "shipped" / "bars")
    monkeypatch.setattr(
        resources, "models", lambda: ModelCatalog(resources.home(), shipped=tmp_path / "shipped")
    )
    yield Home.from_environment()
    st.cache_resource.clear()


@pytest.fixture
def serve(home: Home) -> Iterator[Callable[..., str]]:
    """Starts a server with the API alone and gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread, Api]] = []

    def start(settings: ApiSettings | None = None) -> str:
        api = Api(settings or ApiSettings())
        config = uvicorn.Config(
            Starlette(routes=api.routes()), port=0, lifespan="off", log_level="warning"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread, api))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread, api in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        api.close()


@pytest.fixture
def url(serve: Callable[..., str]) -> str:
    """A server with the default settings."""
    return serve()


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def astronaut() -> bytes:
    """A NASA portrait with one face, about 90 pixels wide, around (223, 120)."""
    return png(skimage.data.astronaut())


@pytest.fixture
def encode() -> Callable[[np.ndarray], bytes]:
    return png
