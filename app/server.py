"""What the server does beside running pages: start, stop, the JSON API, errors of callbacks.

`streamlit_app.py` hands these to `st.App`.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import streamlit as st
from streamlit import delta_generator, net_util
from streamlit.runtime.pages_manager import PagesManager

from app import modules, resources, work_folders
from app.api.routes import Api
from app.api.settings import ApiSettings
from app.keeper import Keeper
from app.views import show_error
from pipeline.errors import ConfigError


def make_api() -> Api:
    """The JSON API as the environment sets it up.

    Raises:
        SystemExit: If a setting makes no sense: one sentence, and no server.
    """
    try:
        return Api(ApiSettings.from_environment())
    except ConfigError as error:
        raise SystemExit(f"FER Lab cannot start: {error}") from error


@asynccontextmanager
async def lifespan(server: st.App, api: Api) -> AsyncIterator[None]:
    """Opens a page by its address right after a restart, and ends background work cleanly.

    While the server is up, it looks after the line of waiting trainings.
    """
    # Streamlit finds a folder `pages` and tries its older navigation until the router has run
    # once, which would answer the first visit to a page's address with "page not found".
    PagesManager.uses_pages_directory = False
    # Before it refuses a page of another site, Streamlit would ask a service on the internet for
    # this computer's public address, and nothing here calls out unasked. `browser.serverAddress`
    # and `server.corsAllowedOrigins` name addresses that are to be let in.
    net_util.get_external_ip = _unknown_address
    # At the first element of all, Streamlit would read the sources of everything that is running
    # to see whether it is in a REPL, for a tenth of a second, and warn there; here it is not.
    delta_generator._use_warning_has_been_displayed = True
    _answer_at_once()
    modules.load_first_page()
    work_folders.remove_left_over(resources.home().data, work_folders.UPLOAD)
    keeper = Keeper(resources.home())
    keeper.start()
    preloading = modules.load_others_later()
    yield
    preloading.cancel()
    keeper.close()
    api.close()
    resources.jobs().close()


def on_script_error(error: Exception) -> bool:
    """Shows an error that no page caught; Streamlit has logged it already."""
    return show_error(error)


def _unknown_address() -> None:
    """What Streamlit takes for a public address that could not be found out."""


def _answer_at_once() -> None:
    """Lets every answer leave whole, on connections that stay open too.

    asyncio switches Nagle's algorithm off for sockets of the protocol TCP by
    number, which Streamlit does not give for the one that it listens on. So the
    second part of an answer, its body, waits for the client's delayed
    acknowledgement of the first: 44 ms instead of 2 for each request but the
    first. Connections inherit the option from the socket they came to.
    """
    try:
        connections = psutil.Process().net_connections("tcp")
    except (psutil.Error, OSError):
        return  # not every sandbox lets a process look; answers are slower then, and that is all
    for connection in connections:
        # Windows gives no descriptors.
        if connection.status == psutil.CONN_LISTEN and connection.fd >= 0:
            with socket.fromfd(connection.fd, connection.family, connection.type) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
