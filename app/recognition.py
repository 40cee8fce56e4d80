"""How faces are recognized in this home: one set of choices for photo, video and live."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from app.state import Preferences, load_preferences, update
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.recognition.detectors import DETECTORS
from pipeline.recognition.smoothing import TIME_CONSTANT

MOST_SMOOTHING = 3.0
"""In seconds; more would show the mood of a while ago."""


@dataclass(frozen=True)
class RecognitionSettings:
    """What the user chose; hashable, so that it can key results.

    The model is none of these: which one is active is a fact of the whole home
    (`ModelCatalog.active`).

    Attributes:
        detector: One of `detectors.DETECTORS`.
        detection_threshold: The least confidence of a face, in `(0, 1)`; `None`
            is the detector's own.
        unsure_below: The highest probability below which a face is unsure, in
            `[0, 1]`; `None` is the model's own threshold.
        smoothing: Time constant of the smoothing in video, in seconds.

    Raises:
        ConfigError: If one of them is out of range.
    """

    detector: str = DETECTORS[0]
    detection_threshold: float | None = None
    unsure_below: float | None = None
    smoothing: float = TIME_CONSTANT

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ConfigError(f"unknown face detector {self.detector!r}")
        if self.detection_threshold is not None and not 0 < self.detection_threshold < 1:
            raise ConfigError(f"detection threshold out of (0, 1): {self.detection_threshold!r}")
        if self.unsure_below is not None and not 0 <= self.unsure_below <= 1:
            raise ConfigError(f"unsure threshold out of [0, 1]: {self.unsure_below!r}")
        if not 0 <= self.smoothing <= MOST_SMOOTHING:
            raise ConfigError(f"smoothing out of [0, {MOST_SMOOTHING}]: {self.smoothing!r}")


def load_settings(home: Home) -> RecognitionSettings:
    """The remembered settings; the defaults where there are none or they make no sense."""
    return _settings(load_preferences(home))


def change_settings(home: Home, **changes: Any) -> RecognitionSettings:
    """Changes some of the settings, for this and all later sessions.

    Raises:
        ConfigError: If one of them is out of range, or others keep writing them.
    """
    # Another tab may change another setting at the same time.
    return _settings(
        update(
            home,
            lambda old: replace(old, recognition=asdict(replace(_settings(old), **changes))),
        )
    )


def _settings(preferences: Preferences) -> RecognitionSettings:
    stored = preferences.recognition
    known = {item.name for item in fields(RecognitionSettings)}
    try:
        return RecognitionSettings(**{key: value for key, value in stored.items() if key in known})
    except (TypeError, ConfigError):
        return RecognitionSettings()  # the file was changed by hand, or by a later version
