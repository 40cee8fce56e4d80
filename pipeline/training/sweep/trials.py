"""The trials of a search as plain data."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipeline.runs import process_is_alive

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class TrialPhase(StrEnum):
    """Where a trial is in its life."""

    WAITING = "waiting"
    """Interrupted; the next worker that is free goes on with it."""
    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True)
class TrialRecord:
    """One trial; `None` where nothing is known (yet).

    Attributes:
        number: Its place in the study, from 0. A trial that was interrupted and
            taken up again has the number that it began with.
        phase: Where it is.
        run: Id of its run, in the home of the computer that trained it.
        host: Name of that computer.
        params: The searched settings by name; those without effect are missing.
        value: The metric of the epoch whose weights were kept.
        curve: The metric by epoch.
        started, ended: ISO 8601.
        note: Why it was pruned or failed, or what it met if it waits again.
    """

    number: int
    phase: TrialPhase
    run: str
    host: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    value: float | None = None
    curve: dict[int, float] = field(default_factory=dict)
    started: str | None = None
    ended: str | None = None
    note: str = ""


_RUN_ID = re.compile(r"(.+)-t\d{3,}")

# What a worker writes beside a trial.
ORIGIN, HOST, PID, PROCESS_STARTED, NOTE = "origin", "host", "pid", "process_started", "note"


def origin(trial: FrozenTrial) -> int:
    """The number of the trial that this one continues; else its own."""
    return int(trial.user_attrs.get(ORIGIN, trial.number))


def latest(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The trials without those that another one continues, by origin."""
    return [
        by_origin for _, by_origin in sorted({origin(trial): trial for trial in trials}.items())
    ]


def has_begun(trial: FrozenTrial) -> bool:
    """Whether a trial counts against the number of trials of its search."""
    return trial.state.name != "WAITING"


def is_dead(trial: FrozenTrial) -> bool:
    """Whether a trial claims to run in a process of this computer that is gone."""
    attrs = trial.user_attrs
    return (
        trial.state.name == "RUNNING"
        and attrs.get(HOST) == platform.node()
        and not process_is_alive(attrs.get(PID), attrs.get(PROCESS_STARTED))
    )


def record(study: str, trial: FrozenTrial) -> TrialRecord:
    """A trial as plain data.

    Args:
        study: The name of its search.
        trial: As Optuna keeps it.
    """
    attrs, begun, ended = trial.user_attrs, trial.datetime_start, trial.datetime_complete
    return TrialRecord(
        number=origin(trial),
        phase=_phase(trial),
        run=run_id(study, origin(trial)),
        host=attrs.get(HOST, ""),
        params=dict(trial.params),
        value=trial.value if trial.state.name == "COMPLETE" else None,
        curve=dict(sorted(trial.intermediate_values.items())),
        started=begun.isoformat() if begun else None,
        ended=ended.isoformat() if ended else None,
        note=attrs.get(NOTE, ""),
    )


def run_id(study: str, number: int) -> str:
    """The id of a trial's run."""
    return f"{study}-t{number:03d}"


def searches_of(run_ids: Iterable[str]) -> set[str]:
    """The names of searches whose trials have, or would have, these ids; see `run_id`."""
    return {found[1] for run in run_ids if (found := _RUN_ID.fullmatch(run))}


def _phase(trial: FrozenTrial) -> TrialPhase:
    if is_dead(trial):
        return TrialPhase.WAITING
    return {
        "WAITING": TrialPhase.WAITING,
        "RUNNING": TrialPhase.RUNNING,
        "COMPLETE": TrialPhase.FINISHED,
        "PRUNED": TrialPhase.PRUNED,
        "FAIL": TrialPhase.FAILED,
    }[trial.state.name]
