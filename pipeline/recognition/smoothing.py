"""Smoothing of scores over time, independent of the frame rate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.errors import ConfigError

TIME_CONSTANT = 0.5
"""Seconds after which 63 % of a sudden change show."""

# One frame that is certain must not outweigh seconds of others: the logarithm of 0 has no bound.
_LEAST = 1e-4


@dataclass(frozen=True)
class _State:
    time: float
    logs: npt.NDArray[np.float64]
    smoothed: npt.NDArray[np.float64]


class ScoreSmoother:
    """An exponential average of each track's log-probabilities.

    Between two frames the scores are taken to change linearly, which makes the
    result the same at any frame rate (Müller 1991; Eckner 2019, "A note on
    trend and seasonality estimation for unevenly-spaced time series").

    Args:
        time_constant: In seconds; 0 does not smooth.

    Raises:
        ConfigError: If the time constant is negative.
    """

    def __init__(self, time_constant: float = TIME_CONSTANT) -> None:
        if not time_constant >= 0:
            raise ConfigError(f"the time constant must be at least 0 seconds, got {time_constant}")
        self._time_constant = time_constant
        self._states: dict[int, _State] = {}

    def update(
        self, track: int, probabilities: npt.NDArray[np.float32], time: float
    ) -> npt.NDArray[np.float32]:
        """Takes a track's scores and gives the smoothed ones.

        Args:
            track: The track's id.
            probabilities: In `[0, 1]`, shape `(7,)`, summing to 1.
            time: In seconds, later than at the track's last call.

        Returns:
            `float32`, shape `(7,)`, summing to 1.
        """
        if not self._time_constant:
            return probabilities
        logs = np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
        state = self._states.get(track)
        smoothed = logs if state is None else self._step(state, logs, time)
        self._states[track] = _State(time, logs, smoothed)
        weights = np.exp(smoothed - smoothed.max())
        return (weights / weights.sum()).astype(np.float32)

    def keep(self, tracks: Collection[int]) -> None:
        """Forgets all tracks but these."""
        self._states = {track: self._states[track] for track in tracks if track in self._states}

    def _step(
        self, state: _State, logs: npt.NDArray[np.float64], time: float
    ) -> npt.NDArray[np.float64]:
        elapsed = (time - state.time) / self._time_constant
        if elapsed <= 0:
            return state.smoothed
        # The response of a first-order low-pass to a straight line from the last scores to these.
        decay = np.exp(-elapsed)
        mean = (1 - decay) / elapsed
        return decay * state.smoothed + (mean - decay) * state.logs + (1 - mean) * logs
