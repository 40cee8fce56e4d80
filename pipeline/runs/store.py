"""The runs below one folder: making, finding, deleting and restoring them."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from pipeline.errors import AmbiguousRunError, RunNotFoundError, RunStateError, listed
from pipeline.files import write_json
from pipeline.home import SHIPPED_MODELS, Home
from pipeline.runs.locks import locked
from pipeline.runs.run import CONFIG, LOCK, Run
from pipeline.runs.state import STATUS, RunState, RunStatus
from pipeline.runs.trash import KEPT_FOR, Trash, TrashedRun

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_DAY = 24 * 3600.0


class RunStore:
    """The runs below one folder.

    Args:
        root: The folder, such as `Home.runs`.
        shipped: The folder of the shipped models, whose names no run can have.
    """

    def __init__(self, root: Path, shipped: Path = SHIPPED_MODELS) -> None:
        self.root = root
        self.trash = Trash(root)
        # Models are found by name alone, whatever made them; see `recognition.catalog`.
        self._named = (root, Home(root.parent).ensembles, shipped)

    def list(self) -> list[Run]:
        """All runs, the newest first."""
        if not self.root.is_dir():
            return []
        by_age: dict[tuple[str, str], Run] = {}
        for folder in self.root.iterdir():
            if is_id(folder.name) and (folder / STATUS).is_file():
                run = Run(folder.name, folder)
                with suppress(RunNotFoundError):  # deleted this very moment
                    by_age[run.state.created, run.id] = run
        return [by_age[age] for age in sorted(by_age, reverse=True)]

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only one whose id begins so.

        Raises:
            RunNotFoundError: If there is none.
            AmbiguousRunError: If there is more than one.
        """
        known = [run.id for run in self.list()]
        found = [run_id] if run_id in known else [name for name in known if name.startswith(run_id)]
        if not run_id or not found:
            raise RunNotFoundError(f"no run {run_id!r} in {self.root} (there: {listed(known)})")
        if len(found) > 1:
            raise AmbiguousRunError(
                f"{run_id!r} is the beginning of {len(found)} runs: {listed(found)}"
            )
        return Run(found[0], self.root / found[0])

    def is_taken(self, name: str) -> bool:
        """Whether a run, finished or not, or another model is called so."""
        return any((folder / name).exists() for folder in self._named)

    def create(self, config: dict[str, Any], *, name: str | None = None) -> Run:
        """Makes the folder of a new run, in state `queued`.

        Args:
            config: The training configuration by field name, and `dataset`.
            name: The run's id; made from the architecture and the time if `None`.

        Raises:
            RunStateError: If the name is unusable, or a run or another model has it.
        """
        now = datetime.now(UTC)
        base = name or f"{config.get('architecture', 'run')}-{now:%Y%m%d-%H%M%S}"
        state = RunState(RunStatus.QUEUED, created=now.isoformat(timespec="microseconds"))
        with self.incoming() as folder:
            write_json(folder / CONFIG, config)
            write_json(folder / STATUS, asdict(state))
            return self.adopt(folder, base, must_be_exact=name is not None)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """An empty folder in which to put a run together, out of sight; see `adopt`."""
        folder = self.root / ".incoming" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, folder: Path, base: str, *, must_be_exact: bool = False) -> Run:
        """Makes a finished folder a run of this store, in one rename.

        Args:
            folder: Holds at least `status.json`; on the same disk.
            base: The run's id.
            must_be_exact: Whether to refuse an id that is taken; else `-2`,
                `-3`, … are tried behind it.

        Raises:
            RunStateError: If the id is unusable, or a run or another model has it.
        """
        if not is_id(base):
            raise RunStateError(
                f"{base!r} cannot name a run: use lower-case letters, digits, '.', '_' and '-'"
            )
        names = [base] if must_be_exact else [base, *(f"{base[:75]}-{n}" for n in range(2, 1000))]
        for name in names:
            target = self.root / name
            if self.is_taken(name):
                continue
            try:
                folder.rename(target)
            except OSError:
                if target.exists():  # somebody was quicker
                    continue
                raise
            return Run(name, target)
        raise RunStateError(f"a run or model named {base!r} exists already: choose another name")

    def delete(self, run_id: str) -> TrashedRun:
        """Moves a run to the trash.

        Raises:
            RunNotFoundError: If there is none of that id.
            RunStateError: If it is still running, or starting.
        """
        run = self.get(run_id)
        if run.is_busy:
            raise RunStateError(f"run {run.id!r} is still running: stop it first")
        try:
            with locked(run.folder, LOCK, timeout=0):
                return self.trash.put(run)
        except Timeout as error:
            raise RunStateError(f"run {run.id!r} is still running: stop it first") from error

    def restore(self, token: str) -> Run:
        """Takes a run back out of the trash; under a new id if its own is taken by now.

        Args:
            token: Names it in the trash; an id means the last deleted of it.

        Raises:
            RunNotFoundError: If it is not (any more) in the trash.
        """
        item = self.trash.get(token)
        try:
            run = self.adopt(item.run.folder, item.run.id)
        except FileNotFoundError as error:
            raise RunNotFoundError(f"run {item.run.id!r} was restored already") from error
        with suppress(OSError):  # the trash was emptied this very moment
            item.run.folder.parent.rmdir()
        return run

    def clean_up(self) -> None:
        """Removes for good what was deleted long ago or what a killed process left half made."""
        self.trash.discard(older_than=KEPT_FOR)
        aside = self.root / ".incoming"
        for folder in aside.iterdir() if aside.is_dir() else ():
            with suppress(FileNotFoundError):  # just become a run
                if time.time() - folder.stat().st_mtime > _DAY:
                    shutil.rmtree(folder, ignore_errors=True)


def is_id(text: str) -> bool:
    """Whether a text can be a run's id, which is its folder's name too."""
    return _ID.fullmatch(text) is not None
