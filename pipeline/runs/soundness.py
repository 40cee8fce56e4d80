"""Whether a folder that came from elsewhere reads like a run."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import RunImportError
from pipeline.files import write_json
from pipeline.runs.run import CONFIG, HISTORY
from pipeline.runs.state import STATUS, RunState, RunStatus

_LARGEST = 1e300
_OBJECTS = ("environment.json", "evaluation.json", "contract.json", "notes.json")


def check_run(folder: Path) -> None:
    """Checks a run's files, and writes a state that is true of it on this computer.

    Whether its model scores as it did where it was trained is not known yet: a
    model is asked that when it is loaded.

    Args:
        folder: The unpacked run.

    Raises:
        RunImportError: If something is missing, damaged or not of a run.
    """
    config = _object(folder, CONFIG)
    for key, kind in (("architecture", str), ("dataset", str), ("epochs", int)):
        if not isinstance(config.get(key), kind):
            raise RunImportError(f"{CONFIG} does not name {key}: this is not a run")
    _check_history(folder / HISTORY)
    for name in _OBJECTS:
        if (folder / name).exists():
            _object(folder, name)
    if (folder / "contract.json").exists() and not (folder / "model.onnx").exists():
        raise RunImportError("the model is missing though there is a contract for it")
    write_json(folder / STATUS, asdict(_state(_object(folder, STATUS))))


def _state(raw: dict[str, Any]) -> RunState:
    try:
        status, reason = RunStatus(raw["status"]), str(raw["reason"])
        created = datetime.fromisoformat(raw["created"]).isoformat()
        started, ended = (
            raw[name] and datetime.fromisoformat(raw[name]).isoformat()
            for name in ("started", "ended")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunImportError(f"{STATUS} is damaged ({error})") from error
    if status is RunStatus.RUNNING:
        status, reason = RunStatus.STOPPED, "it was being trained when it was exported"
    return RunState(status, created, reason, started=started, ended=ended)


def _check_history(path: Path) -> None:
    lines = _text(path).splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        entry = _parsed(line, f"line {number} of {HISTORY}")
        if not isinstance(entry, dict) or entry.get("epoch") != number:
            raise RunImportError(f"line {number} of {HISTORY} does not tell of epoch {number}")
        for name, value in entry.items():
            if not isinstance(value, int | float) or not abs(value) < _LARGEST:
                raise RunImportError(f"{name!r} in line {number} of {HISTORY} is no number")


def _object(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.exists():
        raise RunImportError(f"{name} is missing: this is not a run")
    value = _parsed(_text(path), name)
    if not isinstance(value, dict):
        raise RunImportError(f"{name} is damaged: expected an object, got {type(value).__name__}")
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RunImportError(f"{path.name} is not text ({error})") from error


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunImportError(f"{what} is not JSON ({error})") from error
