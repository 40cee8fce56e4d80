"""Which settings of a training matter, given the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.training import architectures
from pipeline.training.config import TrainingConfig


def without_effect(name: str, values: Mapping[str, Any], *, has_votes: bool) -> str | None:
    """Why a setting would change nothing, or `None` if it matters.

    Args:
        name: The setting.
        values: All settings by name.
        has_votes: Whether the dataset has FER+ votes.
    """
    network = architectures.get(values["architecture"])
    if name in ("attention", "width") and not getattr(network, name):
        return f"{network.title} does not have it."
    if name in ("fine_tune", "pretrained") and not network.fine_tune:
        return f"{network.title} is not a transfer network."
    if name == "warmup_epochs" and values["schedule"] != "cosine":
        return "Only a cosine schedule rises first."
    if name == "plateau_patience" and values["schedule"] != "plateau":
        return "Only a plateau schedule waits for progress."
    if name == "distillation" and not values["teacher"]:
        return "No teacher is chosen."
    if name == "soft_labels" and not has_votes:
        return "The dataset has no FER+ votes."
    if name == "vote_targets" and not (has_votes and values["soft_labels"]):
        return "No share of FER+ votes is learned."
    return None


def effective(values: Mapping[str, Any], *, has_votes: bool) -> dict[str, Any]:
    """The settings with those that would change nothing at their defaults.

    What was entered for them is kept aside, so that going back to, say, a
    network with attention finds it as it was.
    """
    defaults = TrainingConfig().to_dict()
    return {
        name: defaults[name] if without_effect(name, values, has_votes=has_votes) else value
        for name, value in values.items()
    }


def checked(values: Mapping[str, Any]) -> TrainingConfig:
    """The configuration that the settings describe.

    Raises:
        ConfigError: If a value is out of its range, or two contradict.
        UnknownArchitectureError: If there is no such network.
    """
    config = TrainingConfig.from_dict(values)
    architectures.get(config.architecture).check(config)
    return config
