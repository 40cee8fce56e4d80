import pytest

from pipeline.training import architectures
from pipeline.training.config import TrainingConfig
from pipeline.training.presets import PRESETS, Preset, matching
from pipeline.training.relevance import checked, effective


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_can_be_trained_and_is_recognised(preset: Preset) -> None:
    architectures.get(preset.config.architecture).check(preset.config)
    assert TrainingConfig.from_dict(preset.config.to_dict()) == preset.config
    assert matching(preset.config, has_votes=True) is preset
    without_votes = checked(effective(preset.config.to_dict(), has_votes=False))
    assert matching(without_votes, has_votes=False) is preset


def test_names_and_titles_are_distinct() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    assert len({preset.title for preset in PRESETS}) == len(PRESETS)


def test_the_seed_recipe_is_the_default() -> None:
    assert matching(TrainingConfig(), has_votes=False) is PRESETS[0]
    assert matching(TrainingConfig(seed=1), has_votes=False) is None
