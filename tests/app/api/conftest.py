import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import streamlit as st
from PIL import Image

from app import resources
from app.api.routes import Api
from app.api.settings import ApiSettings
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import make_model
from tests.serving import served


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
    with ExitStack() as running:

        def start(settings: ApiSettings | None = None) -> str:
            api = Api(settings or ApiSettings())
            running.callback(api.close)
            return running.enter_context(served(api.routes()))

        yield start


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
