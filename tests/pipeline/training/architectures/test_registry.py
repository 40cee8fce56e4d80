import subprocess
import sys

import pytest

from pipeline.errors import ConfigError, UnknownArchitectureError
from pipeline.home import PROJECT_ROOT
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig


def test_default_of_the_configuration_is_registered() -> None:
    assert architectures.get(TrainingConfig().architecture).name == "seed_cnn"


def test_unknown_name_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(UnknownArchitectureError, match=r"'vgg99'.*simple_cnn, seed_cnn, vgg, .*"):
        architectures.get("vgg99")
    with pytest.raises(UnknownArchitectureError):
        architectures.build(TrainingConfig(architecture="vgg99"))


def test_listing_loads_neither_keras_nor_tensorflow() -> None:
    code = (
        "import sys\n"
        "from pipeline.training import architectures\n"
        "listed = [architectures.get(name).title for name in architectures.names()]\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy or not listed else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TrainingConfig(architecture="vgg", attention="se"), "vgg does not use attention.*resnet$"),
        (TrainingConfig(architecture="xception", width=2.0), "xception does not use width"),
        (TrainingConfig(architecture="seed_cnn", fine_tune=False), "does not use fine_tune"),
        (
            TrainingConfig(architecture="resnet50", fine_tune=False, pretrained=False),
            "frozen random features",
        ),
    ],
)
def test_setting_without_meaning_is_refused(config: TrainingConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        architectures.build(config)


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(architecture="resnet", attention="cbam", width=0.5),
        TrainingConfig(architecture="xception", fine_tune=False),
        TrainingConfig(architecture="vgg", pretrained=False),
    ],
)
def test_setting_with_meaning_passes(config: TrainingConfig) -> None:
    architectures.get(config.architecture).check(config)
