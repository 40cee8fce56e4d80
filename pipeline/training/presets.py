"""Trainings worth starting from, each a complete configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.training.config import TrainingConfig
from pipeline.training.relevance import effective


@dataclass(frozen=True)
class Preset:
    """One recipe.

    Attributes:
        name: What programs call it.
        title: What the interface calls it.
        summary: What it is good for, one or two sentences.
        config: The recipe.
    """

    name: str
    title: str
    summary: str
    config: TrainingConfig


_QUICK = TrainingConfig(
    architecture="vgg",
    width=0.5,
    dropout=0.2,
    subset=0.1,
    epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    warmup_epochs=0.5,
    early_stopping=0,
)

_BLENDED = TrainingConfig(
    soft_labels=0.6,
    vote_targets="fitted",
    architecture="vgg_deep",
    dropout=0.3,
    epochs=50,
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.06,
    schedule="cosine",
    warmup_epochs=0.5,
    ema=0.999,
    precision="mixed_bfloat16",
    l2=2.5e-4,
    rotation=12.0,
    shift=0.08,
    zoom=0.15,
    brightness=0.1,
    contrast=0.3,
    erasing=0.4,
    degradation=0.1,
    mixup=0.2,
    early_stopping=0,
)

PRESETS = (
    Preset(
        "seed",
        "Seed recipe",
        "The recipe that FER Lab grew from: Adam at 0.001, batches of 64, and early stopping.",
        TrainingConfig(),
    ),
    Preset(
        "quick",
        "Quick look",
        "Two minutes: a narrow network on a tenth of the images, to see that it works.",
        _QUICK,
    ),
    Preset(
        "demo",
        "Drawn faces",
        "Two minutes: a narrow network on all images of the demo dataset, which are few and easy.",
        replace(_QUICK, subset=1.0),
    ),
    Preset(
        "best_cpu",
        "Best on CPU: begin",
        "How the shipped model began, an hour or two on a laptop: a deep VGG, a falling rate, "
        "averaged weights, blended images, and FER+ votes where the dataset has them.",
        _BLENDED,
    ),
    Preset(
        "best_cpu_2",
        "Best on CPU: go on",
        "How the shipped model went on, three times: the same without blending, each time from the "
        "weights of the run before. Choose that run under Network, “Start from the weights of”.",
        replace(
            _BLENDED, mixup=0.0, epochs=45, learning_rate=0.03, warmup_epochs=1.0, soft_labels=0.5
        ),
    ),
)


def two_minutes(*, synthetic: bool) -> Preset:
    """The recipe that ends within minutes on a laptop.

    Args:
        synthetic: Whether it is for the few images of the demo dataset.
    """
    wanted = "demo" if synthetic else "quick"
    return next(preset for preset in PRESETS if preset.name == wanted)


def matching(config: TrainingConfig, *, has_votes: bool) -> Preset | None:
    """The preset that a configuration is; `None` if it is none of them.

    Args:
        config: The configuration.
        has_votes: Whether the dataset has FER+ votes; without them a preset that
            uses some is itself all the same. Which model it starts from is left to
            people: no preset can know.
    """
    values = replace(config, start_from="").to_dict()
    for preset in PRESETS:
        if effective(preset.config.to_dict(), has_votes=has_votes) == values:
            return preset
    return None
