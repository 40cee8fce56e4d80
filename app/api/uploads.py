"""Reading an upload: bounded in size and time, in memory, never on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from app.api.errors import ApiError
from app.api.settings import MEGABYTE

READING_SECONDS = 60.0
"""How long a body may take to arrive: a slow one keeps others from their place."""

_DRAINING_SECONDS = 5.0
_MOST_FIELDS = 16
_LONGEST_FIELD = 4096


@dataclass(frozen=True, eq=False)
class Upload:
    """What came with a request.

    Attributes:
        data: The content of the file.
        session: The text field `session`; `None` if there was none.
    """

    data: bytes
    session: str | None


class _MemoryParser(MultiPartParser):
    # 0 is no limit: Starlette's own sends what is larger to a temporary file, and photos of
    # people do not belong on disk. The body's size is bounded already.
    spool_max_size = 0


async def read_upload(request: Request, field: str, max_bytes: int) -> Upload:
    """Reads the one file of a multipart form.

    Args:
        request: Its body has not been read yet.
        field: The name of the form's field that holds the file.
        max_bytes: The largest body.

    Raises:
        ApiError: 400 if there is no such file, 408 if it does not arrive in
            time, 413 if the body is too large.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise _no_file(field)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    try:
        # What was declared is no more than a hint: the bytes are counted as they come.
        async with (
            asyncio.timeout(READING_SECONDS),
            aclosing(_counted(request.stream(), max_bytes)) as body,
        ):
            form = await _MemoryParser(
                request.headers,
                body,
                max_files=1,
                max_fields=_MOST_FIELDS,
                max_part_size=_LONGEST_FIELD,
            ).parse()
    except TimeoutError as error:
        raise ApiError(
            408, f"the upload did not arrive within {READING_SECONDS:.0f} seconds: send it again"
        ) from error
    except MultiPartException as error:
        raise ApiError(400, f"the form cannot be read: {error.message}") from error
    file, session = form.get(field), form.get("session")
    if not isinstance(file, UploadFile):
        raise _no_file(field)
    return Upload(await file.read(), session if isinstance(session, str) else None)


async def drain(request: Request) -> None:
    """Takes in what the client is still sending, for a few seconds at most, and forgets it.

    A client that has not finished may not look for an answer yet: with the
    connection closed on it, it would report that instead of the reason.
    """
    if "expect" in request.headers:
        return  # it asked before sending, and will not send
    try:
        async with asyncio.timeout(_DRAINING_SECONDS):
            async for _ in request.stream():
                pass
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return  # too much, gone, or read to its end already


async def _counted(stream: AsyncIterator[bytes], max_bytes: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in stream:
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _no_file(field: str) -> ApiError:
    return ApiError(
        400, f"no file: expected a multipart/form-data body with a file in the field {field!r}"
    )


def _too_large(max_bytes: int) -> ApiError:
    return ApiError(
        413,
        f"the upload is larger than {max_bytes // MEGABYTE} MB: send a smaller image, or set "
        "FERLAB_API_MAX_MB higher where the server is started",
    )
