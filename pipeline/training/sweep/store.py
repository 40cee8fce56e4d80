"""Searches in a database: SQLite in the home, or a server that many computers share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pipeline.errors import (
    ConfigError,
    SweepError,
    SweepNotFoundError,
    UnknownArchitectureError,
    listed,
)
from pipeline.home import Home
from pipeline.runs import RunStore
from pipeline.training.sweep.database import connect, foreseen, shown_url, sqlite_path
from pipeline.training.sweep.definition import SweepDefinition
from pipeline.training.sweep.retries import quiet
from pipeline.training.sweep.trials import (
    TrialPhase,
    TrialRecord,
    latest,
    record,
    searches_of,
)

if TYPE_CHECKING:
    import optuna
    from optuna.storages import RDBStorage

STORAGE_VARIABLE = "FERLAB_SWEEPS"
"""The environment variable that names the database for every command and page."""

DATABASE = "studies.db"
"""The SQLite file in the folder of the sweeps."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_DEFINITION = "ferlab_definition"
_LOCK = ".lock"
_TOP_SHARE = 0.25


class SweepStore:
    """The searches in one database; threads and processes may share it.

    Args:
        url: Of the database, as SQLAlchemy takes it.
        folder: Where this computer keeps locks, and the logs of its workers.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @classmethod
    def of(
        cls, home: Home, url: str | None = None, environ: Mapping[str, str] | None = None
    ) -> SweepStore:
        """The searches of a home.

        Args:
            home: Where workers of this computer keep their files.
            url: Of the database. Without one, the variable `FERLAB_SWEEPS` names
                it; else it is an SQLite file in the home.
            environ: The environment; this process's if `None`.
        """
        environ = os.environ if environ is None else environ
        named = url or environ.get(STORAGE_VARIABLE, "").strip()
        return cls(named or f"sqlite:///{home.sweeps / DATABASE}", home.sweeps)

    def names(self) -> list[str]:
        """The names of the searches, the newest first."""
        if not self._is_there:
            return []
        import optuna

        with foreseen(self.url):
            return optuna.get_all_study_names(self._storage)[::-1]

    def usable(self) -> tuple[list[str], list[SweepError]]:
        """The names of the searches, the newest first, without studies that are none.

        Returns:
            The names, and what is wrong with each of the other studies.
        """
        names, errors = [], []
        for name in self.names():
            try:
                _ = self._open(name).definition
            except SweepNotFoundError:
                continue  # deleted this very moment
            except SweepError as error:
                errors.append(error)
            else:
                names.append(name)
        return names, errors

    def taken(self, runs: RunStore) -> set[str]:
        """The names that no new search can have.

        Args:
            runs: Those of this computer; they keep the name of a deleted search.
        """
        return {*self.names(), *searches_of(run.id for run in runs.list())}

    def get(self, name: str) -> Sweep:
        """Opens a search.

        Raises:
            SweepNotFoundError: If there is none of that name.
            SweepError: If the database cannot be read.
        """
        known = self.names()
        if name not in known:
            raise SweepNotFoundError(
                f"no sweep {name!r} in {shown_url(self.url)} (there: {listed(known)})"
            )
        return self._open(name)

    def create(self, name: str, definition: SweepDefinition, runs: RunStore) -> Sweep:
        """Stores a new search; it begins when a worker does.

        Args:
            name: What to call it; its runs are named after it.
            definition: What to search.
            runs: Those of this computer. None of an earlier search of that name may
                be left: the new one's would be called the same.

        Raises:
            SweepError: If there is one of that name, or there are runs of one, the
                name is unusable or the database cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise SweepError(
                f"{name!r} cannot name a sweep: use up to 60 lower-case letters, digits, '.', "
                "'_' and '-'"
            )
        # A search that exists is refused below, whatever runs it has.
        if name not in self.names() and name in self.taken(runs):
            raise SweepError(
                f"runs of an earlier sweep {name!r} are still here: delete them, or choose another "
                "name"
            )
        import optuna

        storage = self._storage
        with self.lock(), foreseen(self.url):
            try:
                study = optuna.create_study(
                    storage=storage, study_name=name, direction=definition.direction
                )
            except optuna.exceptions.DuplicatedStudyError as error:
                raise SweepError(f"a sweep named {name!r} exists already") from error
            study.set_user_attr(_DEFINITION, definition.to_dict())
        return self._open(name)

    def delete(self, name: str) -> None:
        """Forgets a search; its runs stay.

        Raises:
            SweepNotFoundError: If there is none of that name.
        """
        self.get(name)
        import optuna

        with self.lock(), foreseen(self.url):
            optuna.delete_study(study_name=name, storage=self._storage)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lets one process of this computer at a time count, claim and change trials."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / _LOCK):
            yield

    def _open(self, name: str) -> Sweep:
        return Sweep(name, self, self._storage)

    @property
    def _is_there(self) -> bool:
        """False if the database is an SQLite file that nobody has written yet."""
        path = sqlite_path(self.url)
        return path is None or path.exists()

    @cached_property
    def _storage(self) -> RDBStorage:
        # Two that make the tables at once would meet.
        with self.lock():
            return connect(self.url)


class Sweep:
    """One search; its properties read the database afresh."""

    def __init__(self, name: str, store: SweepStore, storage: RDBStorage) -> None:
        self.name = name
        self.store = store
        self._storage = storage

    @property
    def definition(self) -> SweepDefinition:
        """What is searched.

        Raises:
            SweepError: If the study was not made here, or is damaged.
        """
        try:
            return SweepDefinition.from_dict(self.study().user_attrs[_DEFINITION])
        except (KeyError, ConfigError, UnknownArchitectureError) as error:
            raise SweepError(
                f"study {self.name!r} has no usable definition ({error}): was it made by another "
                "program?"
            ) from error

    @property
    def trials(self) -> list[TrialRecord]:
        """The trials, by number."""
        with foreseen(self.store.url):
            trials = self.study().get_trials(deepcopy=False)
        return [record(self.name, trial) for trial in latest(trials)]

    def extend(self, more: int) -> SweepDefinition:
        """Allows more trials.

        Raises:
            ConfigError: If that is not one or more, or too many.
        """
        if more < 1:
            raise ConfigError(f"a sweep can be extended by one trial or more, got {more}")
        with self.store.lock():
            definition = self.definition
            definition = definition.with_trials(definition.num_trials + more)
            self.study().set_user_attr(_DEFINITION, definition.to_dict())
        return definition

    def importances(self) -> dict[str, float]:
        """How much of the difference between good and other trials each setting explains.

        By PED-ANOVA (Watanabe et al. 2023), which also takes settings that only
        some trials have.

        Returns:
            Shares by setting, the largest first, that sum to 1; empty while
            fewer than four trials have finished or all are equally good.
        """
        finished = [item.value for item in self.trials if item.phase is TrialPhase.FINISHED]
        if len(finished) < 4 or len(set(finished)) < 2:
            return {}
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        with quiet(), foreseen(self.store.url):
            # The usual tenth of a few dozen trials would be two or three.
            evaluator = PedAnovaImportanceEvaluator(target_quantile=_TOP_SHARE)
            return {
                name: float(share)
                for name, share in get_param_importances(self.study(), evaluator=evaluator).items()
            }

    def study(self, **options: Any) -> optuna.Study:
        """The study itself.

        Args:
            options: Sampler and pruner, for a worker.

        Raises:
            SweepNotFoundError: If it was deleted meanwhile.
        """
        import optuna

        with foreseen(self.store.url):
            try:
                return optuna.load_study(study_name=self.name, storage=self._storage, **options)
            except KeyError as error:
                raise SweepNotFoundError(f"sweep {self.name!r} was deleted") from error


def best(definition: SweepDefinition, trials: list[TrialRecord]) -> TrialRecord | None:
    """The finished trial with the best value; the earlier of equals."""
    sign = -1 if definition.direction == "minimize" else 1
    return max(
        (item for item in trials if item.value is not None),
        key=lambda item: sign * (item.value or 0.0),
        default=None,
    )
