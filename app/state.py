"""What the dashboard remembers: choices that outlive a session, in a file.

Which dataset is active is a fact of the home folder, like which model is: every
tab, the background jobs and tomorrow's session see the same one. So it lives in
a small file in that folder, not in a session or the address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from filelock import FileLock, Timeout

from pipeline.dataset import DatasetStore
from pipeline.errors import ConfigError, DatasetError
from pipeline.files import read_json, write_json
from pipeline.home import Home

_FILE = "dashboard.json"
_LOCK = ".dashboard.lock"
_LOCK_SECONDS = 5.0
_TYPES = {"active_dataset": str, "recognition": dict, "first_steps": list}
"""Of the choices in the file; a hand, or a later version, may have written others."""


@dataclass(frozen=True)
class Preferences:
    """Choices that outlive a session.

    Attributes:
        active_dataset: The dataset that pages show, by name.
        recognition: How faces are recognized, by field of
            `app.recognition.RecognitionSettings`.
        first_steps: Those of the overview that were taken, or put away, by key.
    """

    active_dataset: str | None = None
    recognition: dict[str, Any] = field(default_factory=dict)
    first_steps: list[str] = field(default_factory=list)


def load_preferences(home: Home) -> Preferences:
    """The remembered choices; the default of each that is missing or damaged."""
    try:
        stored = read_json(home.root / _FILE)
    except (OSError, ValueError):
        return Preferences()
    if not isinstance(stored, dict):
        return Preferences()
    sound: dict[str, Any] = {
        key: value for key, value in stored.items() if isinstance(value, _TYPES.get(key, ()))
    }
    preferences = Preferences(**sound)
    steps = [key for key in preferences.first_steps if isinstance(key, str)]
    return replace(preferences, first_steps=steps)


def remember(home: Home, **changes: Any) -> Preferences:
    """Changes some of the remembered choices and keeps the others.

    Raises:
        ConfigError: If others keep writing them.
    """
    return update(home, lambda known: replace(known, **changes))


def update(home: Home, change: Callable[[Preferences], Preferences]) -> Preferences:
    """Makes new choices of the remembered ones, while nobody else can write them.

    Args:
        home: Whose choices.
        change: Given what is remembered, says what to remember; what it raises is
            passed on, and nothing is written.

    Raises:
        ConfigError: If others keep writing them.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    try:
        # Tabs, and other dashboards on the same home, change other choices at the same time.
        with FileLock(home.root / _LOCK, timeout=_LOCK_SECONDS):
            preferences = change(load_preferences(home))
            write_json(home.root / _FILE, asdict(preferences))
            return preferences
    except Timeout as error:
        raise ConfigError("the choices are being saved by another window: try again") from error


def active_dataset(home: Home, store: DatasetStore) -> str | None:
    """The dataset that pages show.

    It is the remembered one if it is still there; else the first of photographed
    faces; else the first of drawn ones; `None` while there is none at all.
    """
    names = store.names()
    remembered = load_preferences(home).active_dataset
    if remembered in names:
        return remembered
    # False sorts before True, and `min` keeps the first of equals.
    return min(names, key=lambda name: _is_second_choice(store, name), default=None)


def _is_second_choice(store: DatasetStore, name: str) -> bool:
    try:
        return store.meta(name).synthetic
    except DatasetError:
        return True
