"""The settings of the JSON API, read once when the server starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import ConfigError

MEGABYTE = 2**20

_TOKEN = re.compile(r"[!-~]+")
_ORIGIN = re.compile(r"https?://[^/\s?#@,*]+", re.IGNORECASE)
_MOST_MEGABYTES = 1000
_LONGEST_QUEUE = 1000


@dataclass(frozen=True)
class ApiSettings:
    """How the API may be used.

    Attributes:
        token: What `Authorization: Bearer` must carry; `None` asks for nothing.
        cors_origins: The web origins whose pages may read the answers, or `*`;
            none by default.
        max_bytes: The largest body of a request.
        queue: How many requests may wait while others are worked on.
    """

    token: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    max_bytes: int = 20 * MEGABYTE
    queue: int = 16

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ApiSettings:
        """The settings that the variables `FERLAB_API_TOKEN` and so on make.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        environ = os.environ if environ is None else environ
        return cls(
            token=_token(environ.get("FERLAB_API_TOKEN")),
            cors_origins=_origins(environ.get("FERLAB_CORS_ORIGINS", "")),
            max_bytes=MEGABYTE
            * _number(
                environ,
                "FERLAB_API_MAX_MB",
                default=cls.max_bytes // MEGABYTE,
                bounds=(1, _MOST_MEGABYTES),
            ),
            queue=_number(
                environ, "FERLAB_API_QUEUE", default=cls.queue, bounds=(0, _LONGEST_QUEUE)
            ),
        )


def _token(text: str | None) -> str | None:
    if text is None:
        return None
    token = text.strip()
    # An empty one is refused too: whoever sets it means to close the API, not to open it.
    if not _TOKEN.fullmatch(token):
        raise ConfigError(
            "FERLAB_API_TOKEN must be letters, digits and signs without spaces, got "
            f"{'nothing' if not token else 'something else'}: unset it to ask for no token"
        )
    return token


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(filter(None, (part.strip() for part in text.split(","))))
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ConfigError(
                "FERLAB_CORS_ORIGINS must list origins such as https://example.org or "
                f"http://localhost:3000, separated by commas and without a path, got {origin!r}"
            )
    # Browsers send them in lower case.
    return tuple(origin.lower() for origin in origins)


def _number(environ: Mapping[str, str], name: str, *, default: int, bounds: tuple[int, int]) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    low, high = bounds
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, got {text!r}")
    return value
