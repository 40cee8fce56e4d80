"""Training runs on disk: what was trained, how, and how it went.

runs/<id>/
    config.json        the `TrainingConfig` and the dataset's name
    status.json        state, reason, process; replaced atomically
    progress.json      where the running epoch is; replaced atomically
    history.jsonl      one line per finished epoch
    environment.json   versions, fingerprint of the data, git commit
    train.log          what the training process printed
    checkpoints/       `last/` (everything needed to go on) and `best.weights.h5`
    model.onnx, model.keras, contract.json, probes.npz, evaluation.json,
    MODEL_CARD.md      the finished model; see `recognition.contract`
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import RunNotFoundError, RunStateError
from pipeline.files import read_json, write_json, write_text

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class RunStatus(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to the run by itself any more."""
        return self in (RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.FAILED)


@dataclass(frozen=True)
class RunState:
    """The content of `status.json`.

    Attributes:
        status: Where the run is.
        reason: Why it stopped or failed, one sentence.
        pid: The training process.
        process_started: Its start time, seconds since 1970: a later process
            with the same id is another one.
        created, started, ended: ISO 8601 in UTC.
    """

    status: RunStatus
    created: str
    reason: str = ""
    pid: int | None = None
    process_started: float | None = None
    started: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class Run:
    """One training run; its properties read the files afresh."""

    id: str
    folder: Path

    @property
    def config(self) -> dict[str, Any]:
        """The training configuration by field name, and `dataset`."""
        return self._read("config.json")

    @property
    def state(self) -> RunState:
        """The run's state; a run whose process died, or whose file is damaged, has failed."""
        try:
            raw = self._read("status.json")
            state = RunState(**{**raw, "status": RunStatus(raw["status"])})
        except (RunStateError, KeyError, TypeError, ValueError) as error:
            return RunState(
                RunStatus.FAILED,
                created="",
                reason=f"status.json is damaged ({error}): delete the run",
            )
        if state.status is RunStatus.RUNNING and not process_is_alive(
            state.pid, state.process_started
        ):
            return replace(
                state,
                status=RunStatus.FAILED,
                reason="the training process ended without a word (killed or crashed); "
                "resuming it continues from the last finished epoch",
            )
        return state

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry per finished epoch, ascending; a torn last line is left out."""
        path = self.folder / "history.jsonl"
        if not path.exists():
            return []
        entries = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return entries

    @property
    def progress(self) -> dict[str, Any]:
        """Where the running epoch is; empty before the first batch."""
        return self._read("progress.json", {})

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, data fingerprint and code commit of the training."""
        return self._read("environment.json", {})

    @property
    def evaluation(self) -> dict[str, Any]:
        """The stored reports by split; empty before the run has finished."""
        return self._read("evaluation.json", {})

    @property
    def has_model(self) -> bool:
        """Whether the run holds a complete, servable model."""
        return (self.folder / "contract.json").exists()

    @property
    def best(self) -> dict[str, float] | None:
        """The history entry whose weights were kept."""
        chosen = [entry for entry in self.history if entry.get("is_best")]
        return chosen[-1] if chosen else None

    def log_tail(self, num_lines: int = 40) -> str:
        """The last lines that the training process printed."""
        path = self.folder / "train.log"
        if not path.exists():
            return ""
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-num_lines:])

    def _read(self, name: str, missing: Any = None) -> Any:
        path = self.folder / name
        try:
            return read_json(path)
        except FileNotFoundError as error:
            if missing is not None:
                return missing
            raise RunNotFoundError(f"run {self.id!r} has no {name} in {self.folder}") from error
        except json.JSONDecodeError as error:
            raise RunStateError(f"{path} is damaged ({error}): delete the run") from error


class RunStore:
    """The runs below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> list[Run]:
        """All runs, the newest first."""
        if not self.root.is_dir():
            return []
        runs = [
            Run(folder.name, folder)
            for folder in self.root.iterdir()
            if _ID.fullmatch(folder.name) and (folder / "status.json").is_file()
        ]
        return sorted(runs, key=lambda run: (run.state.created, run.id), reverse=True)

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only one whose id begins so.

        Raises:
            RunNotFoundError: If there is none, or more than one.
        """
        known = [run.id for run in self.list()]
        found = [run_id] if run_id in known else [name for name in known if name.startswith(run_id)]
        if not run_id or not found:
            raise RunNotFoundError(
                f"no run {run_id!r} in {self.root} (there: {', '.join(known[:5]) or 'none yet'})"
            )
        if len(found) > 1:
            raise RunNotFoundError(f"{run_id!r} is the beginning of {len(found)} runs: {found}")
        return Run(found[0], self.root / found[0])

    def create(self, config: dict[str, Any], *, name: str | None = None) -> Run:
        """Makes the folder of a new run, in state `queued`.

        Args:
            config: The training configuration by field name, and `dataset`.
            name: The run's id; made from the architecture and the time if `None`.

        Raises:
            RunStateError: If a run of that name exists or the name is unusable.
        """
        now = datetime.now(UTC)
        base = name or f"{config.get('architecture', 'run')}-{now:%Y%m%d-%H%M%S}"
        if not _ID.fullmatch(base):
            raise RunStateError(
                f"{base!r} cannot name a run: use lower-case letters, digits, '.', '_' and '-'"
            )
        self.root.mkdir(parents=True, exist_ok=True)
        folder = self._new_folder(base, must_be_exact=name is not None)
        run = Run(folder.name, folder)
        write_json(folder / "config.json", config)
        write_state(run, RunState(RunStatus.QUEUED, created=now.isoformat(timespec="microseconds")))
        return run

    def delete(self, run_id: str) -> None:
        """Removes a run for good.

        Raises:
            RunNotFoundError: If there is none of that id.
            RunStateError: If it is still running.
        """
        run = self.get(run_id)
        if run.state.status is RunStatus.RUNNING:
            raise RunStateError(f"run {run.id!r} is still running: stop it first")
        aside = run.folder.with_name(f".{run.id}.deleted")
        run.folder.replace(aside)
        shutil.rmtree(aside)

    def _new_folder(self, base: str, *, must_be_exact: bool) -> Path:
        names = [base] if must_be_exact else [base, *(f"{base}-{n}" for n in range(2, 1000))]
        for candidate in names:
            try:
                (self.root / candidate).mkdir()
            except FileExistsError:
                continue
            return self.root / candidate
        raise RunStateError(f"a run named {base!r} exists already in {self.root}")


def write_state(run: Run, state: RunState) -> None:
    """Replaces a run's `status.json`."""
    write_json(run.folder / "status.json", asdict(state))


def write_history(run: Run, entries: list[dict[str, Any]]) -> None:
    """Replaces a run's `history.jsonl`."""
    write_text(run.folder / "history.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))


def process_is_alive(pid: int | None, started: float | None) -> bool:
    """Whether the very process that had this id at that start time still runs."""
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return started is None or abs(process.create_time() - started) < 1.0
    except psutil.Error:
        return False
