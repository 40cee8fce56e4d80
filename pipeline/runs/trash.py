"""Deleted runs, which can be had back for a while.

runs/.trash/<moment>-<token>/<id>/ holds a run as it was. A run goes there, and
comes back, in one rename.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.errors import RunNotFoundError
from pipeline.runs.run import Run

KEPT_FOR = timedelta(days=30)
"""How long a deleted run is kept."""

_MOMENT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True)
class TrashedRun:
    """A deleted run.

    Attributes:
        token: Names it in the trash, where one id can be more than once.
        run: The run, where it lies now.
        deleted: When, in UTC.
    """

    token: str
    run: Run
    deleted: datetime


class Trash:
    """The deleted runs of a store.

    Args:
        root: The folder of the runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / ".trash"

    def list(self) -> list[TrashedRun]:
        """What is in it, the last deleted first."""
        found = []
        for place in self._places():
            deleted, folder = _moment(place), _content(place)
            if deleted is not None and folder is not None:
                found.append(TrashedRun(place.name, Run(folder.name, folder), deleted))
        return sorted(found, key=lambda item: item.token, reverse=True)

    def put(self, run: Run) -> TrashedRun:
        """Takes a run out of the store; the caller sees to it that nobody is at work on it."""
        now = datetime.now(UTC)
        place = self._folder / f"{now:{_MOMENT}}-{uuid.uuid4().hex[:8]}"
        place.mkdir(parents=True)
        aside = place / run.id
        run.folder.rename(aside)
        return TrashedRun(place.name, Run(run.id, aside), now)

    def get(self, token: str) -> TrashedRun:
        """The deleted run of that token or, of those with that id, the last deleted.

        Raises:
            RunNotFoundError: If it is not (any more) in the trash.
        """
        for item in self.list():
            if token in (item.token, item.run.id):
                return item
        raise RunNotFoundError(
            f"{token!r} is not in the trash: it was restored, or removed for good"
        )

    def discard(self, *, older_than: timedelta = timedelta(0)) -> int:
        """Removes runs for good that were deleted that long ago; tells how many.

        By default it removes them all, even where the clock was set back since.
        """
        latest, number = datetime.now(UTC) - older_than, 0
        for place in self._places():
            deleted = _moment(place)
            if deleted is not None and (not older_than or deleted <= latest):
                number += _content(place) is not None
                shutil.rmtree(place, ignore_errors=True)
        return number

    def _places(self) -> tuple[Path, ...]:
        return tuple(self._folder.iterdir()) if self._folder.is_dir() else ()


def _moment(place: Path) -> datetime | None:
    try:
        return datetime.strptime(place.name.partition("-")[0], _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None  # not ours


def _content(place: Path) -> Path | None:
    try:
        return next((folder for folder in place.iterdir() if folder.is_dir()), None)
    except OSError:
        return None  # restored or removed this very moment
