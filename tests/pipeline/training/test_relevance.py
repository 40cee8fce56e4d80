import pytest

from pipeline.errors import ConfigError, UnknownArchitectureError
from pipeline.training.config import TrainingConfig
from pipeline.training.presets import PRESETS, Preset
from pipeline.training.relevance import checked, effective, without_effect

DEFAULTS = TrainingConfig().to_dict()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("attention", {"architecture": "vgg", "attention": "se"}),
        ("width", {"architecture": "mobilenet_v2", "width": 2.0}),
        ("fine_tune", {"architecture": "vgg", "fine_tune": False}),
        ("warmup_epochs", {"schedule": "plateau", "warmup_epochs": 2.0}),
        ("soft_labels", {"soft_labels": 0.5}),
        ("vote_targets", {"soft_labels": 0.5, "vote_targets": "fitted"}),
        ("distillation", {"distillation": 0.9}),
    ],
)
def test_what_has_no_effect_takes_the_default(name: str, values: dict[str, object]) -> None:
    whole = {**DEFAULTS, **values}
    assert without_effect(name, whole, has_votes=False)
    chosen = effective(whole, has_votes=False)
    assert chosen[name] == DEFAULTS[name]
    checked(chosen)


def test_what_has_an_effect_stays() -> None:
    values = {
        **DEFAULTS,
        "architecture": "resnet",
        "attention": "cbam",
        "soft_labels": 0.5,
        "vote_targets": "fitted",
        "schedule": "cosine",
        "warmup_epochs": 2.0,
    }
    assert effective(values, has_votes=True) == values


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_lose_nothing_in_the_form(preset: Preset) -> None:
    values = effective(preset.config.to_dict(), has_votes=True)
    assert checked(values) == preset.config


def test_contradictions_and_strangers_are_refused() -> None:
    with pytest.raises(ConfigError, match="warmup_epochs"):
        checked({"schedule": "cosine", "warmup_epochs": 60.0})
    with pytest.raises(UnknownArchitectureError):
        checked({"architecture": "none such"})
