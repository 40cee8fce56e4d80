"""What the server does beside running pages: start, stop, and the errors of callbacks.

`streamlit_app.py` hands these to `st.App`. The JSON routes are to join them here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from app import resources
from app.views import show_error


@asynccontextmanager
async def lifespan(server: st.App) -> AsyncIterator[None]:
    """Opens a page by its address right after a restart, and ends background jobs cleanly."""
    # Streamlit finds a folder `pages` and tries its older navigation until the router has run
    # once, which would answer the first visit to a page's address with "page not found".
    PagesManager.uses_pages_directory = False
    yield
    resources.jobs().close()


def on_script_error(error: Exception) -> bool:
    """Shows an error that no page caught; Streamlit has logged it already."""
    return show_error(error)
