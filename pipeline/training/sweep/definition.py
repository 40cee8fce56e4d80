"""What a hyperparameter search looks for, and where: validated, and stored with the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import ConfigError
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.relevance import checked, effective, without_effect

if TYPE_CHECKING:
    import optuna

METRICS: tuple[str, ...] = settings()["monitor"].choices
"""The validation figures that can be searched by; the test split never takes part."""

MOST_TRIALS = 10_000

_DEFAULTS = TrainingConfig().to_dict()
_NOT_SEARCHED = {
    "monitor": "it is the figure that is searched by",
    "seed": "the luckiest seed is no better a recipe",
}
_SENSIBLE: dict[str, tuple[float, float, bool]] = {
    "subset": (0.1, 1.0, False),
    "width": (0.5, 2.0, False),
    "dropout": (0.0, 0.7, False),
    "epochs": (5, 100, True),
    "batch_size": (16, 256, True),
    "learning_rate": (1e-4, 1e-1, True),
    "warmup_epochs": (0.0, 3.0, False),
    "plateau_patience": (2, 10, False),
    "ema": (0.9, 0.9999, False),
    "label_smoothing": (0.0, 0.2, False),
    "weight_decay": (1e-6, 1e-2, True),
    "l2": (1e-6, 1e-3, True),
    "rotation": (0.0, 30.0, False),
    "shift": (0.0, 0.25, False),
    "zoom": (0.0, 0.3, False),
    "brightness": (0.0, 0.3, False),
    "contrast": (0.0, 0.5, False),
    "mixup": (0.0, 1.0, False),
    "cutmix": (0.0, 1.0, False),
    "early_stopping": (3, 20, False),
}
"""Where good values have been found, and whether they spread over magnitudes.

What is allowed is far wider; a search of a few dozen trials over all of it is
a lottery.
"""


@dataclass(frozen=True)
class SweepField:
    """One setting that is searched over, and its range.

    Attributes:
        name: A field of `TrainingConfig`.
        low: Smallest number, for a numeric field.
        high: Largest number, for a numeric field.
        log: Whether the logarithm is searched evenly, not the number.
        choices: The values to choose from, for any other field.

    Raises:
        ConfigError: If the field cannot be searched over, or the range is not
            one, or leaves what the setting allows.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in searchable():
            reason = _NOT_SEARCHED.get(self.name)
            raise ConfigError(
                f"{self.name} cannot be searched over: {reason}"
                if reason
                else f"there is no setting {self.name!r} to search over; there are "
                f"{', '.join(searchable())}"
            )
        if allowed_choices(self.name):
            self._check_choices()
        else:
            self._check_range()

    @classmethod
    def sensible(cls, name: str) -> SweepField:
        """A field with the range that is worth searching.

        Raises:
            ConfigError: If the field cannot be searched over.
        """
        if name in searchable() and not allowed_choices(name):
            setting = settings()[name]
            low, high, log = _SENSIBLE.get(name, (setting.low, setting.high, False))
            return cls(name, low, high, log)
        return cls(name, choices=allowed_choices(name) if name in searchable() else ())

    def suggest(self, trial: optuna.Trial) -> Any:
        """The value of this field in a trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        low, high = self.low, self.high
        if low is None or high is None:
            raise ConfigError(f"{self.name} has no range")
        if is_whole(self.name):
            return trial.suggest_int(self.name, int(low), int(high), log=self.log)
        return trial.suggest_float(self.name, low, high, log=self.log)

    def _check_choices(self) -> None:
        allowed = allowed_choices(self.name)
        if self.low is not None or self.high is not None or self.log:
            raise ConfigError(f"{self.name} has choices, not a range: {_listed(allowed)}")
        strangers = [value for value in self.choices if value not in allowed]
        if strangers:
            raise ConfigError(f"{self.name} must be among {_listed(allowed)}, got {strangers[0]!r}")
        if len(set(self.choices)) < 2 or len(set(self.choices)) < len(self.choices):
            raise ConfigError(
                f"{self.name} needs two or more different choices to search over, "
                f"got {_listed(self.choices) or 'none'}"
            )

    def _check_range(self) -> None:
        setting = settings()[self.name]
        if self.choices or self.low is None or self.high is None:
            raise ConfigError(
                f"{self.name} is a number: it needs a smallest and a largest value "
                f"in [{setting.low:g}, {setting.high:g}]"
            )
        if not setting.low <= self.low < self.high <= setting.high:  # type: ignore[operator]
            raise ConfigError(
                f"{self.name} must go from a smaller to a larger number in "
                f"[{setting.low:g}, {setting.high:g}], got {self.low:g} to {self.high:g}"
            )
        if is_whole(self.name) and (self.low != int(self.low) or self.high != int(self.high)):
            raise ConfigError(f"{self.name} is a whole number, got {self.low:g} to {self.high:g}")
        if self.log and self.low <= 0:
            raise ConfigError(
                f"{self.name} from {self.low:g} has no logarithm: begin above 0, or search evenly"
            )


@dataclass(frozen=True)
class SweepDefinition:
    """A whole search; with a database and a dataset, all that a worker needs.

    Attributes:
        base: The training that the searched fields are changed in.
        dataset: Name of the dataset.
        fingerprint: Of the dataset: workers elsewhere must have the same.
        has_votes: Whether the dataset has FER+ votes.
        fields: What is searched over, each setting once.
        metric: The validation figure to make best, one of `METRICS`. It also
            chooses the weights that a trial keeps.
        num_trials: How many trainings, over all workers.
        pruning: Whether a training is given up when it is worse than the median
            of the earlier ones after as many epochs (Golovin et al. 2017).

    Raises:
        ConfigError: If a value is out of its range.
    """

    base: TrainingConfig
    dataset: str
    fingerprint: str
    has_votes: bool
    fields: tuple[SweepField, ...]
    metric: str = "val_accuracy"
    num_trials: int = 20
    pruning: bool = True

    def __post_init__(self) -> None:
        if not self.fields:
            raise ConfigError("a search needs at least one setting to search over")
        names = [item.name for item in self.fields]
        if len(set(names)) < len(names):
            raise ConfigError(f"each setting can be searched over once, got {', '.join(names)}")
        if self.metric not in METRICS:
            raise ConfigError(f"metric must be one of {_listed(METRICS)}, got {self.metric!r}")
        if not 1 <= self.num_trials <= MOST_TRIALS:
            raise ConfigError(
                f"the number of trials must be in [1, {MOST_TRIALS}], got {self.num_trials}"
            )
        architectures.get(self.base.architecture)

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """Whether less or more of the metric is better, as Optuna calls it."""
        return "minimize" if self.metric == "val_loss" else "maximize"

    @property
    def most_epochs(self) -> int:
        """Epochs of all trials together, if none ends early."""
        searched = (item.high for item in self.fields if item.name == "epochs")
        return self.num_trials * int(next(searched, None) or self.base.epochs)

    def sample(self, trial: optuna.Trial) -> TrainingConfig:
        """The training of one trial.

        A setting that means nothing given the others, such as the attention of
        a network without any, is not drawn and stands at its default.

        Raises:
            ConfigError: If the values that were drawn contradict each other.
        """
        values: dict[str, Any] = {**self.base.to_dict(), "monitor": self.metric}
        by_name = {item.name: item for item in self.fields}
        # In the order of the settings, what others depend on comes first.
        for name in settings():
            if name in by_name and not without_effect(name, values, has_votes=self.has_votes):
                values[name] = by_name[name].suggest(trial)
        return checked(effective(values, has_votes=self.has_votes))

    def with_trials(self, num_trials: int) -> SweepDefinition:
        """The same search with another number of trials."""
        return replace(self, num_trials=num_trials)

    def to_dict(self) -> dict[str, Any]:
        """Everything by name, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SweepDefinition:
        """Reads what `to_dict` made, also after a detour through JSON.

        Raises:
            ConfigError: If something is missing, unknown or out of its range.
        """
        try:
            fields = tuple(
                SweepField(**{**item, "choices": tuple(item["choices"])})
                for item in values["fields"]
            )
            base = TrainingConfig.from_dict(values["base"])
            return cls(**{**values, "base": base, "fields": fields})
        except (KeyError, TypeError) as error:
            raise ConfigError(f"this is not the definition of a search: {error}") from error


def base_of(config: Mapping[str, Any]) -> TrainingConfig:
    """The settings in a run's `config.json`, which says more, such as the dataset.

    Raises:
        ConfigError: If a value is out of its range.
    """
    return TrainingConfig.from_dict({key: config[key] for key in settings() if key in config})


def searchable() -> tuple[str, ...]:
    """The names of the settings that can be searched over, in order."""
    return tuple(
        name
        for name, setting in settings().items()
        if name not in _NOT_SEARCHED and (setting.low is not None or allowed_choices(name))
    )


def allowed_choices(name: str) -> tuple[Any, ...]:
    """The values of a setting that has few; empty for a number."""
    if name == "architecture":
        return tuple(architectures.names())
    if isinstance(_DEFAULTS[name], bool):
        return (False, True)
    return settings()[name].choices


def is_whole(name: str) -> bool:
    """Whether a numeric setting takes whole numbers only."""
    return isinstance(_DEFAULTS[name], int)


def parse_field(text: str) -> SweepField:
    """Reads a field as the command line writes it.

    Args:
        text: `name:low:high`, `name:low:high:log`, `name=one,two`, or just the
            name for the range that is worth searching.

    Raises:
        ConfigError: If it is none of them, or the range is not allowed.
    """
    if "=" in text:
        name, _, values = text.partition("=")
        return SweepField(name, choices=tuple(_choice(name, value) for value in values.split(",")))
    name, *parts = text.split(":")
    if not parts:
        return SweepField.sensible(name)
    scale = parts[2:]
    if len(parts) not in (2, 3) or (scale and scale != ["log"]):
        raise ConfigError(
            f"{text!r} is not a field to search over: write name:low:high, name:low:high:log, "
            "name=one,two or just the name"
        )
    try:
        low, high = float(parts[0]), float(parts[1])
    except ValueError as error:
        raise ConfigError(f"{text!r} must have two numbers after the name") from error
    return SweepField(name, low, high, bool(scale))


def _choice(name: str, text: str) -> Any:
    """The allowed value that a text names, or the text itself, which is then refused."""
    allowed = allowed_choices(name) if name in searchable() else ()
    by_text = {str(value).lower(): value for value in allowed}
    return by_text.get(text.strip().lower(), text.strip())


def _listed(values: tuple[Any, ...]) -> str:
    return ", ".join(map(str, values))
