"""How the settings of a training are asked for: their titles, steps and when they mean anything.

Ranges, choices and help come from `pipeline.training.config.settings`.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from pipeline.errors import ConfigError, PipelineError
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig, settings

DEFAULTS: dict[str, Any] = TrainingConfig().to_dict()

# Whole words, and none that is part of a path, or of the quoted name of a model.
_NAME = re.compile(rf"(?<![\w'/.-])({'|'.join(settings())})(?![\w'/-])")

_TITLES = {
    "architecture": "Network",
    "clahe": "Equalise contrast (CLAHE)",
    "subset": "Share of the images",
    "soft_labels": "Share of FER+ votes",
    "vote_targets": "Votes stand for",
    "width": "Width factor",
    "fine_tune": "Fine-tune all layers",
    "pretrained": "ImageNet weights",
    "start_from": "Start from the weights of",
    # Told apart from those that a run has done: tables of runs have both.
    "epochs": "Epochs at most",
    "ema": "Weight average (EMA)",
    "l2": "L2 penalty",
    "early_stopping": "Early stopping, epochs",
    "monitor": "Choose the best by",
    "warmup_epochs": "Warm-up, epochs",
    "plateau_patience": "Plateau patience, epochs",
    "flip": "Mirror",
    "cutmix": "CutMix",
}
_STEPS = {
    "subset": 0.05,
    "soft_labels": 0.1,
    "width": 0.25,
    "batch_size": 16,
    "learning_rate": 0.0005,
    "warmup_epochs": 0.5,
    "ema": 0.001,
    "weight_decay": 0.0005,
    "l2": 0.00005,
    "rotation": 1.0,
    "mixup": 0.1,
    "cutmix": 0.1,
}
_CHOICES = {
    "none": "None",
    "shares": "Their shares",
    "fitted": "Labels that go with them",
    "se": "Squeeze-and-excitation",
    "cbam": "CBAM",
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with Nesterov momentum",
    "rmsprop": "RMSprop",
    "mixed_bfloat16": "Mixed bfloat16",
    "float32": "float32",
    "cross_entropy": "Cross-entropy",
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "val_macro_f1": "Validation macro-F1",
}


def title(name: str) -> str:
    """A setting as the interface writes it."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def in_words(error: PipelineError) -> ConfigError:
    """What is wrong with settings, each by its title: `“Dropout” must go from ...`.

    Args:
        error: It names the settings as the command line and `config.json` do.
    """
    return ConfigError(_NAME.sub(lambda name: f"“{title(name[0])}”", str(error)))


def step(name: str) -> float:
    """By how much the buttons beside a number change it."""
    whole = isinstance(DEFAULTS[name], int)
    return _STEPS.get(name, 1 if whole else 0.05)


def choice(name: str, value: Any) -> str:
    """One of a setting's values as the interface writes it."""
    if name == "architecture":
        return network(value)
    if settings()[name].is_model:
        return value or "None"
    if name == "input_size":
        return f"{value} × {value} pixels"
    return _CHOICES.get(value, str(value).replace("_", " ").capitalize())


def network(name: str) -> str:
    """A network's title; a model from elsewhere may be of an unknown one."""
    return architectures.get(name).title if name in architectures.names() else name


def groups() -> dict[str, list[str]]:
    """The settings' names below the heading that each stands under, in order."""
    found: dict[str, list[str]] = {}
    for name, setting in settings().items():
        found.setdefault(setting.group, []).append(name)
    return found


def changes(config: TrainingConfig) -> list[str]:
    """What differs from the seed recipe, one short phrase each."""
    found = []
    for item in fields(TrainingConfig):
        value = getattr(config, item.name)
        if value != item.default:
            found.append(f"{_within(title(item.name))} {_value(item.name, value)}")
    return found


def _within(title: str) -> str:
    """A title as it stands within a sentence: `dropout`, `share of FER+ votes`, but `CutMix`."""
    first, rest = title[0], title.split()[0][1:]
    is_a_name = rest != rest.lower() or any(sign.isdigit() for sign in rest)
    return title if is_a_name else first.lower() + title[1:]


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return choice(name, value)
    return f"{value:g}" if isinstance(value, float) else str(value)
