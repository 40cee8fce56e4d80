from app.training import fields
from pipeline.errors import ConfigError
from pipeline.training.config import TrainingConfig, settings


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


def test_changes_are_named_in_words() -> None:
    assert fields.changes(TrainingConfig()) == []
    assert fields.changes(TrainingConfig(architecture="vgg", epochs=7, flip=False, l2=2.5e-4)) == [
        *("network VGG", "epochs at most 7", "L2 penalty 0.00025", "mirror off")
    ]


def test_errors_name_settings_by_their_titles() -> None:
    # Whole names alone: the network `seed_cnn` is not the setting `seed`.
    error = ConfigError("warmup_epochs (60) of seed_cnn must be below epochs (50)")
    assert str(fields.in_words(error)) == (
        "“Warm-up, epochs” (60) of seed_cnn must be below “Epochs at most” (50)"
    )
    # Nor is a model that is called like one.
    error = ConfigError("cannot start from 'width' or '/x/flip/flip-2': its network has width 0.5.")
    assert str(fields.in_words(error)) == (
        "cannot start from 'width' or '/x/flip/flip-2': its network has “Width factor” 0.5."
    )
