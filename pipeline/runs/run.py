"""One training run: a folder, read afresh each time it is asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.errors import RunNotFoundError, RunStateError
from pipeline.files import last_lines, read_json, write_json, write_text
from pipeline.runs.notes import RunNotes, load_notes
from pipeline.runs.state import STATUS, ProcessMark, RunState, RunStatus, process_is_alive

CONFIG = "config.json"
HISTORY = "history.jsonl"
STARTED = "started.json"
LOG = "train.log"
CHECKPOINTS = "checkpoints"
"""The folder of what a training can be taken up from."""
LOCK = ".lock"
"""Held by the process that trains the run; the operating system frees it when that dies."""


@dataclass(frozen=True)
class Run:
    """One training run; its properties read the files afresh."""

    id: str
    folder: Path

    @property
    def config(self) -> dict[str, Any]:
        """The training configuration by field name, and `dataset`."""
        return self._read(CONFIG)

    @property
    def sweep(self) -> str | None:
        """The hyperparameter search that it is a trial of, if it is one."""
        return self._read(CONFIG, {}).get("sweep")

    @property
    def state(self) -> RunState:
        """The run's state; a run whose process died, or whose file is damaged, has failed."""
        try:
            raw = self._read(STATUS)
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
    def launched(self) -> ProcessMark | None:
        """The process that was started last to train it in the background, if any was."""
        try:
            started = read_json(self.folder / STARTED)
            return ProcessMark(int(started["pid"]), float(started["process_started"]))
        except (OSError, KeyError, TypeError, ValueError):
            return None

    @property
    def is_starting(self) -> bool:
        """Whether a process was started for it that has not reported itself yet."""
        launched, state = self.launched, self.state
        return (
            launched is not None
            and state.status is not RunStatus.RUNNING
            and state.pid != launched.pid
            and launched.is_alive
        )

    @property
    def is_busy(self) -> bool:
        """Whether it is being trained or about to be: no time to move or delete it."""
        return self.state.status is RunStatus.RUNNING or self.is_starting

    @property
    def notes(self) -> RunNotes:
        """Title, tags, note, archived or not; empty where nobody wrote any."""
        return load_notes(self.folder)

    @property
    def title(self) -> str:
        """What people call it: the title that they gave it, else its id."""
        return self.notes.title or self.id

    @property
    def history(self) -> list[dict[str, float]]:
        """One entry per finished epoch, ascending; a torn last line is left out."""
        path = self.folder / HISTORY
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
        return last_lines(self.folder / LOG, num_lines)

    def _read(self, name: str, missing: Any = None) -> Any:
        path = self.folder / name
        try:
            return read_json(path)
        except FileNotFoundError as error:
            if missing is not None:
                return missing
            raise RunNotFoundError(f"run {self.id!r} has no {name} in {self.folder}") from error
        except ValueError as error:  # not JSON, or not even text
            raise RunStateError(f"{path} is damaged ({error}): delete the run") from error


def write_state(run: Run, state: RunState) -> None:
    """Replaces a run's `status.json`."""
    write_json(run.folder / STATUS, asdict(state))


def write_history(run: Run, entries: list[dict[str, Any]]) -> None:
    """Replaces a run's `history.jsonl`."""
    write_text(run.folder / HISTORY, "".join(json.dumps(entry) + "\n" for entry in entries))
