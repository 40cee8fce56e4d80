from app.training import fields
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
        *("network VGG", "epochs 7", "L2 penalty 0.00025", "mirror off")
    ]
