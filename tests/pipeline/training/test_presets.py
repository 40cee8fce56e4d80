import pytest

from pipeline.training import architectures
from pipeline.training.config import TrainingConfig
from pipeline.training.presets import PRESETS, Preset, matching


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_can_be_trained_and_is_recognised(preset: Preset) -> None:
    architectures.get(preset.config.architecture).check(preset.config)
    assert TrainingConfig.from_dict(preset.config.to_dict()) == preset.config
    assert matching(preset.config) is preset


def test_names_and_titles_are_distinct() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    assert len({preset.title for preset in PRESETS}) == len(PRESETS)


def test_the_seed_recipe_is_the_default() -> None:
    assert matching(TrainingConfig()) is PRESETS[0]
    assert matching(TrainingConfig(seed=1)) is None
