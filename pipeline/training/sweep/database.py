"""The database of the searches: connecting, and what can go wrong with it in one sentence."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import SweepError
from pipeline.training.sweep.retries import quiet, retry_dead

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

_BUSY_SECONDS = 60
_HEARTBEAT_SECONDS = 20
_GRACE_SECONDS = 120


def connect(url: str) -> RDBStorage:
    """Connects, and makes the tables where there are none.

    Args:
        url: As SQLAlchemy takes it.

    Raises:
        SweepError: If it is no address, nothing answers there, or a driver is missing.
    """
    import optuna
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SweepError(
            f"{shown_url(url)!r} is not the address of a database: write "
            "sqlite:////path/to/file.db or postgresql://user:password@host/name"
        ) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_backend_name() == "sqlite":
        options = {"connect_args": {"timeout": _BUSY_SECONDS}}
        _write_ahead(url)
    with quiet(), foreseen(url):
        try:
            return optuna.storages.RDBStorage(
                parsed.render_as_string(hide_password=False),
                engine_kwargs=options,
                heartbeat_interval=_HEARTBEAT_SECONDS,
                grace_period=_GRACE_SECONDS,
                heartbeat_stale_trial_callback=retry_dead,
            )
        except ImportError as error:
            raise SweepError(
                f"{shown_url(url)} needs a database driver that is not installed; for PostgreSQL: "
                '`pip install "psycopg[binary]"`'
            ) from error


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite database; `None` for another kind."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def shown_url(url: str) -> str:
    """A database's address without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


@contextmanager
def foreseen(url: str) -> Iterator[None]:
    """Turns what can go wrong with any database into one sentence about it."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        first_line = (
            str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        )
        raise SweepError(
            f"the database of the sweeps, {shown_url(url)}, does not answer: {first_line}"
        ) from error


def _write_ahead(url: str) -> None:
    """Makes an SQLite file one whose readers do not wait for a writer."""
    path = sqlite_path(url)
    if path is None:
        return
    with foreseen(url):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as database:
            database.execute("PRAGMA journal_mode=WAL")
