"""What a request is refused with."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A refusal that the client is told.

    Args:
        status: The HTTP status code.
        message: One sentence: what was expected, what came, what to do.
        headers: What goes with it, such as `Retry-After`.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def busy(message: str, *, retry_after: int) -> ApiError:
    """The refusal of what may well work in a few seconds."""
    return ApiError(503, message, {"Retry-After": str(retry_after)})
