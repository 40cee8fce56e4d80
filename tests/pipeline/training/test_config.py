from dataclasses import FrozenInstanceError, fields

import pytest

from pipeline.errors import ConfigError
from pipeline.training.config import TrainingConfig, settings


def test_defaults_are_the_seed_recipe() -> None:
    config = TrainingConfig()
    assert (config.architecture, config.epochs, config.batch_size) == ("seed_cnn", 50, 64)
    assert (config.optimizer, config.learning_rate) == ("adam", 0.001)
    assert (config.rotation, config.shift, config.zoom, config.flip) == (10.0, 0.1, 0.1, True)


def test_every_field_is_described() -> None:
    known = settings()
    assert list(known) == [item.name for item in fields(TrainingConfig)]
    assert all(setting.help.endswith((".", "9.")) for setting in known.values())


def test_round_trip() -> None:
    config = TrainingConfig(architecture="vgg", mixup=0.2, schedule="cosine", warmup_epochs=1)
    assert TrainingConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("epochs", 0, r"in \[1, 2000\], got 0"),
        ("epochs", 1.5, "must be int, got float"),
        ("epochs", True, "must be int, got bool"),
        ("learning_rate", -1.0, "learning_rate must be in"),
        ("learning_rate", float("nan"), "learning_rate must be in"),
        ("learning_rate", "fast", "must be float, got str"),
        ("optimizer", "adagrad", "one of .*'adam'"),
        ("input_size", 50, "one of"),
        ("flip", 1, "must be bool"),
        ("warmup_epochs", 2.0, "needs schedule 'cosine'"),
    ],
)
def test_bad_value_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingConfig(**{field: value})  # type: ignore[arg-type]


def test_warmup_ends_before_the_training() -> None:
    with pytest.raises(ConfigError, match="must be below epochs"):
        TrainingConfig(schedule="cosine", warmup_epochs=5, epochs=5)


def test_unknown_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown setting 'lr'"):
        TrainingConfig.from_dict({"lr": 1})


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        TrainingConfig().epochs = 3  # type: ignore[misc]
