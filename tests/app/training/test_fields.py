import pytest

from app.training import fields
from pipeline.errors import ConfigError, UnknownArchitectureError
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.presets import PRESETS, Preset


def test_every_setting_stands_under_one_heading() -> None:
    listed = [name for members in fields.groups().values() for name in members]
    assert sorted(listed) == sorted(settings())
    assert list(fields.groups()) == [
        *("data", "network", "optimisation", "regularisation", "augmentation", "budget")
    ]


def test_titles_are_distinct_and_have_a_capital() -> None:
    titles = [fields.title(name) for name in settings()]
    assert len(set(titles)) == len(titles)
    assert all(title[0].isupper() for title in titles)


def test_steps_fit_the_ranges() -> None:
    for name, setting in settings().items():
        if setting.low is not None and setting.high is not None:
            assert 0 < fields.step(name) < setting.high - setting.low, name
            assert isinstance(fields.step(name), type(fields.DEFAULTS[name])), name


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("attention", {"architecture": "vgg", "attention": "se"}),
        ("width", {"architecture": "mobilenet_v2", "width": 2.0}),
        ("fine_tune", {"architecture": "vgg", "fine_tune": False}),
        ("warmup_epochs", {"schedule": "plateau", "warmup_epochs": 2.0}),
        ("soft_labels", {"soft_labels": 0.5}),
    ],
)
def test_what_has_no_effect_takes_the_default(name: str, values: dict[str, object]) -> None:
    whole = {**fields.DEFAULTS, **values}
    assert fields.without_effect(name, whole, has_votes=False)
    chosen = fields.effective(whole, has_votes=False)
    assert chosen[name] == fields.DEFAULTS[name]
    fields.checked(chosen)


def test_what_has_an_effect_stays() -> None:
    values = {
        **fields.DEFAULTS,
        "architecture": "resnet",
        "attention": "cbam",
        "soft_labels": 0.5,
        "schedule": "cosine",
        "warmup_epochs": 2.0,
    }
    assert fields.effective(values, has_votes=True) == values


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_lose_nothing_in_the_form(preset: Preset) -> None:
    values = fields.effective(preset.config.to_dict(), has_votes=False)
    assert fields.checked(values) == preset.config


def test_contradictions_and_strangers_are_refused() -> None:
    with pytest.raises(ConfigError, match="warmup_epochs"):
        fields.checked({"schedule": "cosine", "warmup_epochs": 60.0})
    with pytest.raises(UnknownArchitectureError):
        fields.checked({"architecture": "none such"})


def test_changes_are_named_in_words() -> None:
    assert fields.changes(TrainingConfig()) == []
    assert fields.changes(TrainingConfig(architecture="vgg", epochs=7, flip=False, l2=2.5e-4)) == [
        *("architecture VGG", "epochs 7", "l2 penalty 0.00025", "mirror off")
    ]
