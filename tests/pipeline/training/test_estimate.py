import math
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import psutil
import pytest

from pipeline.dataset import Dataset
from pipeline.errors import ConfigError, TrainingError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.progress import Cancelled
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig
from pipeline.training.estimate import Estimate, estimate, measure, read_settings


class TestMeasure:
    @pytest.mark.slow
    @pytest.mark.xdist_group("tensorflow")
    @pytest.mark.parametrize("batch_size", [16, 4096])
    def test_counts_and_times(self, bars: Dataset, batch_size: int) -> None:
        found = measure(TrainingConfig(architecture="simple_cnn", batch_size=batch_size), bars)
        known = architectures.get("simple_cnn")
        assert (found.num_parameters, found.num_macs) == (known.num_parameters, known.num_macs)
        # An epoch cannot be faster than its training images at the measured speed.
        assert found.seconds_per_epoch > 0.99 * 210 / found.images_per_second > 0
        assert math.isfinite(found.seconds_per_epoch)

    @pytest.mark.slow
    @pytest.mark.xdist_group("tensorflow")
    def test_averaging_the_weights_counts(
        self, bars: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pipeline.training import averaging

        measure_statistics, averaged = averaging._measure, []

        def slowly(*arguments: Any) -> None:
            averaged.append(arguments)
            time.sleep(3)
            measure_statistics(*arguments)

        monkeypatch.setattr(averaging, "_measure", slowly)
        config = TrainingConfig(architecture="simple_cnn", width=0.25, subset=0.3)
        measure(config, bars)
        assert not averaged
        assert measure(replace(config, ema=0.9), bars).seconds_per_epoch > 3
        assert len(averaged) == 1

    def test_importing_it_does_not_import_keras(self) -> None:
        code = (
            "import sys, pipeline.training.estimate; "
            "print({'keras', 'tensorflow'} & {*sys.modules})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "set()"


class TestInAProcessOfItsOwn:
    @pytest.mark.slow
    def test_brings_the_result_back(self, bars: Dataset, home: Home) -> None:
        config = TrainingConfig(architecture="mini_xception", batch_size=16)
        found = estimate(config, "bars", home)
        assert found.num_parameters == architectures.get("mini_xception").num_parameters
        assert Estimate.from_dict(found.to_dict()) == found

    def test_says_why_it_cannot_be_measured(self, home: Home) -> None:
        with pytest.raises(TrainingError, match="missing"):
            estimate(TrainingConfig(), "missing", home)

    def test_cancelling_leaves_no_process(self, bars: Dataset, home: Home) -> None:
        seen: list[psutil.Process] = []

        def cancel(done: float, total: float | None, text: str = "") -> None:
            seen.extend(
                child
                for child in psutil.Process().children()
                if "estimate" in child.cmdline() and child not in seen
            )
            if seen:
                raise Cancelled("enough")

        began = time.monotonic()
        with pytest.raises(Cancelled):
            estimate(TrainingConfig(), "bars", home, cancel)
        assert time.monotonic() - began < 5
        assert not seen[0].is_running()


class TestReadSettings:
    def test_takes_an_object(self) -> None:
        assert read_settings('{"epochs": 3}') == TrainingConfig(epochs=3)

    @pytest.mark.parametrize("text", ["{", "[1]", '{"epochs": 0}', '{"epoch": 3}'])
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(ConfigError):
            read_settings(text)
