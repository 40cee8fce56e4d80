"""What becomes of a trial whose worker stopped or died."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna

_RETRIES = 3


def retry(study: optuna.Study, trial: optuna.trial.FrozenTrial, *, most: int | None) -> None:
    """Queues an interrupted trial again, with the settings that it had.

    Args:
        study: The study.
        trial: The interrupted trial.
        most: How often a trial is taken up again, so that one that kills its
            worker does not kill them all; `None`: any number of times.
    """
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with quiet():
        RetryHeartbeatStaleTrialCallback(max_retry=most)(study, trial)


def retry_dead(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """Queues a trial again whose worker was killed; not for ever."""
    retry(study, trial, most=_RETRIES)


def fail_silent(study: optuna.Study) -> None:
    """Fails the trials of other computers whose workers have not been heard of for minutes."""
    import optuna

    with quiet():
        optuna.storages.fail_stale_trials(study)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna warns that heartbeats and retries are experimental; they are what this needs."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
