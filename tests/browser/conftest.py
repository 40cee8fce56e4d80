"""A real server and a real Chromium, once for all browser tests.

They live as long as this folder's tests, not the session: Playwright keeps an event loop
running, in whose presence no other test could start one.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from bench.page_load import FLAGS, NAMES
from pipeline.dataset import DatasetStore
from pipeline.home import PROJECT_ROOT

_HEALTH = "/_stcore/health"
_CLOSED_TWICE = 'Cannot call "send" once a close message has been sent'


@dataclass(frozen=True)
class Server:
    """A dashboard that runs for the tests."""

    url: str
    home: Path


@pytest.fixture(scope="package")
def start_chromium(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., BrowserContext]]:
    """Starts a Chromium, with flags beyond the usual ones and a profile that lasts as long.

    Pages in a lasting profile are loaded from its cache, compiled; in a passing one, each test
    would have the same megabytes of scripts compiled anew. One process for all pages has most of
    them at hand even, for which a page of the server stays open in it.
    """
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(NAMES)})")
    # The other tests may be using the same two cores.
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:

        def start(*flags: str) -> BrowserContext:
            browser = playwright.chromium.launch_persistent_context(
                tmp_path_factory.mktemp("profile"),
                executable_path=executable,
                args=[*FLAGS, "--process-per-site", *flags],
            )
            browser.pages[0].goto(server.url + _HEALTH)
            return browser

        yield start


@pytest.fixture(scope="package")
def chromium(start_chromium: Callable[..., BrowserContext]) -> Iterator[BrowserContext]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    home = folder / "home"
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"],
            cwd=PROJECT_ROOT,
            env={
                **os.environ,
                "FERLAB_HOME": str(home),
                "STREAMLIT_SERVER_PORT": str(port),
                "STREAMLIT_SERVER_HEADLESS": "true",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(f"http://localhost:{port}{_HEALTH}", process, folder / "log")
            yield Server(f"http://localhost:{port}", home)
        finally:
            process.terminate()
            process.wait(15)
    assert _faults((folder / "log").read_text()) == []


@pytest.fixture
def empty_home(server: Server) -> Path:
    """The server's home, with nothing in it."""
    shutil.rmtree(server.home, ignore_errors=True)
    return server.home


@pytest.fixture
def filled_home(empty_home: Path) -> Path:
    """The server's home, with one small dataset."""
    labels = (np.arange(21) % 7).astype(np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (21, 48, 48), np.uint8)
    with DatasetStore(empty_home / "data").writer("faces") as writer:
        writer.append(images, labels, (np.arange(21) % 3).astype(np.uint8))
        writer.finish(title="A set of faces", source="/a/long/path/to/faces.csv", kind="csv")
    return empty_home


@pytest.fixture
def visit(chromium: BrowserContext, server: Server) -> Iterator[Callable[..., Page]]:
    """Opens the dashboard, as if for the first time; nothing may go wrong, or out."""
    pages, complaints, strangers = [], [], []

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "localhost":
            strangers.append(url)

    def note_message(message: ConsoleMessage) -> None:
        # Two that are no fault of a page. Where a page has an address of its own, Streamlit's
        # client looks for its server below that address first whenever it connects. And a page
        # left before its pictures were loaded takes them along, of which the client complains too.
        text, url = message.text, message.location.get("url", "")
        harmless = "404" in text and ("/_stcore/" in url or "/media/" in url)
        harmless |= "Image source error" in text and "/media/" in text
        if message.type == "error" and not harmless:
            complaints.append(f"{text} {url}")

    def open_page(path: str = "/", *, width: int = 1280, scheme: str = "light") -> Page:
        page = chromium.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(60_000)
        # All that a page can find of an earlier visit; what only makes it load faster stays.
        chromium.new_cdp_session(page).send(
            "Storage.clearDataForOrigin",
            {
                "origin": server.url,
                "storageTypes": "cookies,local_storage,indexeddb,cache_storage,service_workers",
            },
        )
        page.on("request", lambda request: note_request(request.url))
        page.on("websocket", lambda socket: note_request(socket.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note_message)
        page.goto(server.url + path)
        page.get_by_text("Where your files are").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []
    assert strangers == []


def _faults(log: str) -> list[str]:
    """The parts of a server's log with a traceback, but for one that no page can help.

    Streamlit 1.67 closes the connection of a page that was left while it was
    being written to, which is closed already.
    """
    before, *parts = log.split("Exception in ASGI application")
    ours = re.compile(rf'File "{re.escape(str(PROJECT_ROOT))}/(app|pages|pipeline|streamlit_app)\b')
    return [
        part
        for part in (before, *parts)
        if "Traceback" in part
        and (part is before or _CLOSED_TWICE not in part or ours.search(part))
    ]


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")
