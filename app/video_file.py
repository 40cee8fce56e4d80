"""The marked copy of a video, sent from the disk piece by piece, as a player asks for it.

Given the file, Streamlit reads the whole of it into memory each time that the
page is run: of an hour in full HD that is a gigabyte.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from app import resources
from app.videos import VideoResult

_PATH = "/marked-video"


def route() -> Route:
    """What answers the player, beside Streamlit's own routes."""
    return Route(f"{_PATH}/{{token}}.mp4", _send)


def address(result: VideoResult, copy: Path) -> str | Path:
    """Where the player finds the marked copy.

    Args:
        result: Whose copy it is.
        copy: Its file, which it is itself where the page has no address, as in tests.
    """
    page = urlsplit(st.context.url or "")
    return f"{page.scheme}://{page.netloc}{_PATH}/{result.token}.mp4" if page.netloc else copy


async def _send(request: Request) -> FileResponse:
    result = resources.videos().result
    # Whoever does not know the token has not seen the page that shows the video.
    asked = request.path_params["token"].encode()
    is_known = result is not None and secrets.compare_digest(result.token.encode(), asked)
    copy = result.copy if result is not None and is_known else None
    if copy is None:
        raise HTTPException(404, "this video is not here any more")
    return FileResponse(copy, media_type="video/mp4")
