"""The video that all tabs of this server see."""

from __future__ import annotations

import streamlit as st

from app import resources
from app.video.desk import VideoDesk
from pipeline.home import Home


def desk() -> VideoDesk:
    """The latest video of this home."""
    return _desk(resources.home())


@st.cache_resource(show_spinner=False)
def _desk(home: Home) -> VideoDesk:
    return VideoDesk(home)
