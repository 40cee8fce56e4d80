import json
from dataclasses import replace
from typing import Any

import optuna
import pytest

from pipeline.errors import ConfigError, UnknownArchitectureError
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.sweep.definition import (
    METRICS,
    SweepDefinition,
    SweepField,
    parse_field,
    searchable,
)

RATE = SweepField("learning_rate", 1e-4, 1e-1, log=True)


def definition(*fields: SweepField, **changes: Any) -> SweepDefinition:
    values: dict[str, Any] = {
        "base": TrainingConfig(epochs=7),
        "dataset": "faces",
        "fingerprint": "ab",
        "has_votes": False,
        "fields": fields or (RATE,),
    }
    return SweepDefinition(**{**values, **changes})


class TestField:
    @pytest.mark.parametrize("name", searchable())
    def test_every_setting_has_a_sensible_range_within_what_is_allowed(self, name: str) -> None:
        field = SweepField.sensible(name)
        assert field.choices or field.low is not None
        # A whole sweep over it alone is a valid one.
        assert definition(field).fields == (field,)

    def test_all_but_the_figure_and_the_seed_can_be_searched(self) -> None:
        with_values = {
            name
            for name, setting in settings().items()
            if setting.low is not None or setting.choices
        }
        assert with_values - set(searchable()) == {"monitor", "seed"}
        assert {"architecture", "flip"} <= set(searchable())

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ("learning_rate:1e-4:1e-1:log", RATE),
            ("dropout:0:0.6", SweepField("dropout", 0.0, 0.6)),
            ("architecture=vgg,seed_cnn", SweepField("architecture", choices=("vgg", "seed_cnn"))),
            ("flip=true,False", SweepField("flip", choices=(True, False))),
            ("input_size=48,64", SweepField("input_size", choices=(48, 64))),
            ("width", SweepField.sensible("width")),
        ],
    )
    def test_is_read_as_the_command_line_writes_it(self, text: str, field: SweepField) -> None:
        assert parse_field(text) == field

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("speed", "no setting 'speed'"),
            ("seed", "luckiest seed"),
            ("monitor=val_loss,val_accuracy", "the figure that is searched by"),
            ("dropout:0:2", r"in \[0, 0.9\], got 0 to 2"),
            ("dropout:0.5:0.5", "from a smaller to a larger"),
            ("dropout:0:0.5:log", "has no logarithm"),
            ("dropout:0:0.5:cubic", "write name:low:high"),
            ("dropout:0", "write name:low:high"),
            ("dropout:a:b", "two numbers"),
            ("dropout=0,0.5", "needs a smallest and a largest"),
            ("batch_size:8.5:16", "whole number"),
            ("architecture=vgg,alexnet", "got 'alexnet'"),
            ("architecture=vgg", "two or more"),
            ("architecture=vgg,vgg", "two or more different"),
            ("architecture:1:2", "has choices"),
        ],
    )
    def test_a_wrong_one_is_one_sentence(self, text: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            parse_field(text)


class TestDefinition:
    def test_survives_json(self) -> None:
        made = definition(RATE, SweepField("flip", choices=(True, False)), num_trials=3)
        assert SweepDefinition.from_dict(json.loads(json.dumps(made.to_dict()))) == made

    @pytest.mark.parametrize(
        "changes",
        [
            {"fields": ()},
            {"fields": (RATE, RATE)},
            {"metric": "accuracy"},
            {"num_trials": 0},
        ],
    )
    def test_a_wrong_one_is_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ConfigError):
            definition(**changes)

    def test_a_strange_network_is_refused(self) -> None:
        with pytest.raises(UnknownArchitectureError):
            definition(base=replace(TrainingConfig(), architecture="alexnet"))

    @pytest.mark.parametrize("stored", [{}, {"fields": [{}]}, {"fields": [], "base": {}, "x": 1}])
    def test_what_is_none_is_refused(self, stored: dict[str, Any]) -> None:
        with pytest.raises(ConfigError):
            SweepDefinition.from_dict(stored)

    def test_only_a_loss_is_to_be_small(self) -> None:
        small = [metric for metric in METRICS if definition(metric=metric).direction == "minimize"]
        assert small == ["val_loss"]

    def test_most_epochs_are_those_of_trials_of_full_length(self) -> None:
        base = TrainingConfig(epochs=30)
        assert definition(base=base, num_trials=4).most_epochs == 120
        searched = SweepField("epochs", 5, 20)
        assert definition(searched, base=base, num_trials=4).most_epochs == 80


class TestSample:
    def sample(self, made: SweepDefinition, **params: Any) -> tuple[TrainingConfig, set[str]]:
        trial = optuna.trial.FixedTrial(params)
        return made.sample(trial), set(trial.params)  # type: ignore[arg-type]

    def test_takes_the_drawn_values_and_leaves_the_rest(self) -> None:
        made = definition(RATE, SweepField("batch_size", 8, 64, log=True), metric="val_macro_f1")
        config, _ = self.sample(made, learning_rate=0.02, batch_size=16)
        assert config == TrainingConfig(
            epochs=7, learning_rate=0.02, batch_size=16, monitor="val_macro_f1"
        )

    def test_draws_only_what_matters_for_what_was_drawn_before(self) -> None:
        made = definition(
            # In an order in which what depends on the others comes first.
            SweepField("attention", choices=("se", "cbam")),
            SweepField("warmup_epochs", 0.5, 2.0),
            SweepField("schedule", choices=("constant", "cosine")),
            SweepField("architecture", choices=("vgg", "resnet")),
        )
        drawn = {"attention": "se", "warmup_epochs": 1.0}
        config, used = self.sample(made, architecture="vgg", schedule="constant", **drawn)
        assert used == {"architecture", "schedule"}
        assert (config.attention, config.warmup_epochs) == ("none", 0.0)
        config, used = self.sample(made, architecture="resnet", schedule="cosine", **drawn)
        assert (config.attention, config.warmup_epochs) == ("se", 1.0)

    def test_a_base_that_does_not_fit_the_drawn_network_is_made_to(self) -> None:
        base = TrainingConfig(architecture="resnet", attention="cbam")
        made = definition(SweepField("architecture", choices=("vgg", "resnet")), base=base)
        config, _ = self.sample(made, architecture="vgg")
        assert config.attention == "none"

    def test_contradictions_are_refused(self) -> None:
        base = TrainingConfig(schedule="cosine", epochs=2)
        made = definition(SweepField("warmup_epochs", 0.0, 9.0), base=base)
        with pytest.raises(ConfigError, match="must be below epochs"):
            self.sample(made, warmup_epochs=5.0)
