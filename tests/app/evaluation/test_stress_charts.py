from dataclasses import replace

import numpy as np
import pytest

from app.evaluation import stress_charts
from pipeline.evaluation.corruptions import CORRUPTIONS
from pipeline.evaluation.report import DatasetReference
from pipeline.evaluation.stress import CorruptionScore, StressReport


@pytest.fixture
def report() -> StressReport:
    """All corruptions take 10 points a strength, but for blur, which takes 5."""
    steep = CorruptionScore((0.6, 0.5, 0.4, 0.3, 0.2), (0.1,) * 5)
    gentle = CorruptionScore((0.65, 0.6, 0.55, 0.5, 0.45), (0.1,) * 5)
    return StressReport(
        model="first",
        dataset=DatasetReference("data", "f", False),
        split="test",
        num_samples=700,
        clean_accuracy=0.7,
        clean_ci95=(0.66, 0.74),
        mean_accuracy=0.4,
        mean_ci95=(0.38, 0.42),
        robustness=0.57,
        robustness_ci95=(0.55, 0.6),
        changed=0.1,
        corruptions={name: gentle if name == "blur" else steep for name in CORRUPTIONS},
    )


def test_curves_begin_at_the_faces_as_they_are(report: StressReport) -> None:
    other = replace(report, model="second", clean_accuracy=0.5)
    first, second = stress_charts.curves([report, other], "blur").data
    assert (first.name, second.name) == ("first", "second")
    assert list(first.x) == [0, 1, 2, 3, 4, 5]
    assert list(first.y) == pytest.approx([0.7, 0.65, 0.6, 0.55, 0.5, 0.45])
    assert list(first.customdata)[:3] == ["as it is", "σ 0.5 px", "σ 1 px"]
    assert second.y[0] == 0.5
    assert first.line.dash != second.line.dash


def test_without_a_corruption_the_mean_of_all_is_drawn(report: StressReport) -> None:
    (line,) = stress_charts.curves([report], None).data
    share = 1 / len(CORRUPTIONS)
    assert line.y[5] == pytest.approx(0.2 * (1 - share) + 0.45 * share)


def test_no_more_lines_than_can_be_told_apart(report: StressReport) -> None:
    many = [replace(report, model=str(number)) for number in range(20)]
    figure = stress_charts.curves(many, "noise")
    assert len(figure.data) == stress_charts.MOST_LINES
    assert figure.data[0].name == "0"
    assert len({line.line.dash for line in figure.data}) == stress_charts.MOST_LINES


def test_heat_shows_every_accuracy_once_and_shades_what_is_lost(report: StressReport) -> None:
    cells, *numbers = stress_charts.heat(report).data
    assert cells.z.shape == (len(CORRUPTIONS), 6)
    assert cells.z[:, 0] == pytest.approx(0)
    assert cells.z[3, 5] == pytest.approx(1 - 0.45 / 0.7)
    assert cells.y[3] == "Blur"
    assert cells.customdata[3, 5].tolist() == [0.45, pytest.approx(0.45 / 0.7), "σ 3 px"]
    texts = [text for part in numbers for text in part.text]
    assert sorted(texts) == sorted(
        f"{100 * share:.0f} %" for share in np.ravel(0.7 * (1 - cells.z))
    )


def test_a_model_without_a_right_answer_is_drawn_too(report: StressReport) -> None:
    nothing = CorruptionScore((0.0,) * 5, (0.0,) * 5)
    lost = replace(
        report, clean_accuracy=0.0, robustness=None, corruptions=dict.fromkeys(CORRUPTIONS, nothing)
    )
    assert (stress_charts.heat(lost).data[0].z == 1).all()


def test_words_for_those_who_cannot_see_it(report: StressReport) -> None:
    text = stress_charts.curves_text([report], "blur")
    assert text == "Accuracy by strength of blur: first falls from 70 % to 45 %"
    assert "on average" in stress_charts.curves_text([report], None)
