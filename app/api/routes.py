"""The addresses of the JSON API and what answers them."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import resources
from app.api.errors import ApiError
from app.api.openapi import document
from app.api.queue import WorkQueue
from app.api.sessions import MAX_GAP, FrameSession, FrameSessions
from app.api.settings import ApiSettings
from app.api.uploads import drain, read_upload
from app.messages import APOLOGY, describe
from app.recognition import load_settings
from pipeline.errors import ImageFormatError, ModelLoadError
from pipeline.recognition import images
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.stream import RecognitionStream

_logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Any]]


class Api:
    """The JSON API of one server; it recognizes as the dashboard is set to.

    Args:
        settings: How it may be used.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._queue = WorkQueue(settings.queue)
        self._sessions = FrameSessions()
        self._document = document(settings)

    def routes(self) -> list[Route]:
        """The routes to add to the dashboard's."""
        return [
            self._route("/detect_image", "POST", self._detect_image),
            self._route("/detect_frame", "POST", self._detect_frame),
            self._route("/healthz", "GET", _health),
            self._route("/readyz", "GET", _readiness),
            self._route("/openapi.json", "GET", self._describe),
        ]

    def close(self) -> None:
        """Stops working; requests that wait are dropped."""
        self._queue.close()

    def _route(self, path: str, method: str, handler: Handler) -> Route:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=self._settings.cors_origins,
            allow_methods=[method],
            allow_headers=["Authorization"],
            expose_headers=["Retry-After"],
            allow_private_network=True,
        )
        endpoint = _Endpoint(method, handler)
        return Route(path, endpoint, middleware=[cors] if self._settings.cors_origins else None)

    async def _detect_image(self, request: Request) -> list[dict[str, Any]]:
        self._authorize(request)
        with self._queue.place():
            upload = await read_upload(request, "image", self._settings.max_bytes)
            return await self._queue.run(_recognize, upload.data, "image", small_faces=True)

    async def _detect_frame(self, request: Request) -> list[dict[str, Any]]:
        self._authorize(request)
        with self._queue.place():
            upload = await read_upload(request, "frame", self._settings.max_bytes)
            session_id = upload.session
            if session_id is None:
                session_id = request.query_params.get("session")
            if session_id is None:
                return await self._queue.run(_recognize, upload.data, "frame", small_faces=False)
            session, arrived = self._sessions.take_frame(session_id)
            # Waiting here and not in a thread, one client's frames cannot take all threads.
            async with session.lock:
                return await self._queue.run(_follow_frame, upload.data, session, arrived)

    async def _describe(self, _: Request) -> dict[str, Any]:
        return self._document

    def _authorize(self, request: Request) -> None:
        token = self._settings.token
        if token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # In constant time: otherwise the time taken tells how much of a guess is right.
        is_right = hmac.compare_digest(given.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not is_right:
            raise ApiError(
                401,
                "expected the header `Authorization: Bearer …` with the token that the server was "
                "started with (FERLAB_API_TOKEN)",
                {"WWW-Authenticate": 'Bearer realm="FER Lab"'},
            )


class _Endpoint:
    """One address: it answers every method, since what is not answered goes to the dashboard.

    What a handler returns is sent as JSON, and so is every error.
    """

    def __init__(self, method: str, handler: Handler) -> None:
        self._methods = ("GET", "HEAD") if method == "GET" else (method,)
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        # Faces and what is said of them are to stay in no cache.
        response.headers["Cache-Control"] = "no-store"
        if response.status_code >= 400:
            await drain(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            if request.method not in self._methods:
                allowed = ", ".join(self._methods)
                raise ApiError(
                    405,
                    f"{request.url.path} answers {allowed}, got {request.method}",
                    {"Allow": allowed},
                )
            return JSONResponse(await self._handler(request))
        except ApiError as error:
            return _error(error.status, error.message, error.headers)
        except ClientDisconnect:
            return _error(400, "the connection ended before the upload did")
        except ImageFormatError as error:
            return _error(415, str(error))
        except ModelLoadError as error:
            return _error(503, str(error))
        except Exception as error:
            _logger.exception("unforeseen error in the JSON API")
            return _error(500, describe(error) or APOLOGY)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


async def _health(_: Request) -> dict[str, Any]:
    return {"status": "ok"}


async def _readiness(_: Request) -> dict[str, Any]:
    # Not through the queue: a busy server is a ready one.
    recognizer = await run_in_threadpool(_recognizer, small_faces=True)
    return {"status": "ready", "model": recognizer.classifier.contract.name}


def _recognizer(*, small_faces: bool) -> Recognizer:
    return resources.recognizer(load_settings(resources.home()), small_faces=small_faces)


def _recognize(data: bytes, name: str, *, small_faces: bool) -> list[dict[str, Any]]:
    image = images.decode(data, name=name)
    recognizer = _recognizer(small_faces=small_faces)
    return [prediction.to_dict() for prediction in recognizer.recognize(image)]


def _follow_frame(data: bytes, session: FrameSession, time: float) -> list[dict[str, Any]]:
    image = images.decode(data, name="frame")
    if session.stream is None:
        # The session keeps to this model and these settings, so that its scores stay comparable.
        session.stream = RecognitionStream(
            _recognizer(small_faces=False),
            time_constant=load_settings(resources.home()).smoothing,
            max_gap=MAX_GAP,
        )
    return [prediction.to_dict() for prediction in session.stream.update(image, time)]
