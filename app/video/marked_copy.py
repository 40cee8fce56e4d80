"""The marked copy of a video, sent from the disk piece by piece, to the player and to be kept.

Given the file, Streamlit reads the whole of it into memory each time that the
page is run, or the copy is downloaded: of an hour in full HD that is a gigabyte.
And if the copy is gone by then, its button cannot say why.
"""

from __future__ import annotations

import secrets
from pathlib import Path, PurePath
from urllib.parse import urlsplit

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from app.video import shared
from app.video.desk import VideoResult

_PATH = "/marked-video"
_TO_KEEP = "keep"
_GONE = (
    "FER Lab does not have this marked video any more, because it was removed or gave way to "
    "another one: analyse the video again on the Video page.\n"
)


def route() -> Route:
    """What answers the player and the download, beside Streamlit's own routes."""
    return Route(f"{_PATH}/{{token}}.mp4", _send)


def address(result: VideoResult, copy: Path) -> str | Path:
    """Where the player finds the marked copy.

    Args:
        result: Whose copy it is.
        copy: Its file, which it is itself where the page has no address, as in tests.
    """
    page = urlsplit(st.context.url or "")
    return f"{page.scheme}://{page.netloc}{_path(result)}" if page.netloc else copy


def to_keep(result: VideoResult) -> str:
    """Where the browser gets the marked copy as a file; seen from the server's root."""
    return f"{_path(result)}?{_TO_KEEP}"


def _path(result: VideoResult) -> str:
    return f"{_PATH}/{result.token}.mp4"


async def _send(request: Request) -> FileResponse:
    result = shared.desk().result
    # Whoever does not know the token has not seen the page that shows the video.
    asked = request.path_params["token"].encode()
    if result is None or not secrets.compare_digest(result.token.encode(), asked):
        raise HTTPException(404, _GONE)
    copy = result.copy
    if copy is None:
        raise HTTPException(404, _GONE)
    name = f"{PurePath(result.analysis.file).stem}-marked.mp4"
    is_to_keep = _TO_KEEP in request.query_params
    return FileResponse(copy, media_type="video/mp4", filename=name if is_to_keep else None)
