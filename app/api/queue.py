"""A bounded queue in front of a few threads: what is too much is refused, not kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from app.api.errors import busy

WORKERS = 2
"""Threads that recognize. The face detector, which takes most of the time, does one image at a
time; a second thread decodes and scores meanwhile."""

_RETRY_AFTER = 1

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class WorkQueue:
    """Runs work off the event loop; to be used on one event loop.

    Args:
        waiting: How many requests may wait beyond those that are worked on.
        workers: Number of threads.
    """

    def __init__(self, waiting: int, *, workers: int = WORKERS) -> None:
        self._places = workers + waiting
        self._taken = 0
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="api")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Takes a place for a request, from before its body is read until it is answered.

        So the places bound the memory for uploads too, not the work alone.

        Raises:
            ApiError: 503, if all places are taken.
        """
        if self._taken >= self._places:
            raise busy(
                f"the server is busy: {self._taken} requests are being worked on or waiting; try "
                "again in a moment",
                retry_after=_RETRY_AFTER,
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def run(
        self,
        work: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Runs a function in one of the threads and gives what it returns, or raises."""
        future = self._threads.submit(work, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drops what waits and ends the threads once they are done with what they do."""
        self._threads.shutdown(wait=False, cancel_futures=True)
