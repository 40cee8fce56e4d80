import pytest

from app.charts import class_balance, class_balance_text
from pipeline.labels import EMOTIONS

COUNTS = {
    "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "validation": [467, 56, 496, 895, 653, 415, 607],
    "test": [491, 55, 528, 879, 594, 416, 626],
}


def test_each_class_has_its_colour_and_its_counts() -> None:
    bars = [trace for trace in class_balance(COUNTS).data if trace.hovertemplate]
    assert [trace.name for trace in bars] == ["Training", "Validation", "Test"]
    for trace, split in zip(bars, COUNTS, strict=True):
        assert list(trace.y) == [emotion.title for emotion in EMOTIONS]
        assert list(trace.x) == COUNTS[split]
        assert list(trace.marker.color) == [emotion.color for emotion in EMOTIONS]


def test_totals_stand_beside_the_bars() -> None:
    (text,) = (trace for trace in class_balance(COUNTS).data if trace.type == "scatter")
    assert list(text.x)[3] == 8989
    assert text.text[3].strip() == "8,989 · 25.0 %"


def test_splits_are_told_apart_in_bars_and_legend() -> None:
    figure = class_balance(COUNTS)
    opacities = [trace.marker.opacity for trace in figure.data if trace.hovertemplate]
    keys = [
        trace.marker.color
        for trace in figure.data
        if trace.hoverinfo == "skip" and trace.marker.color
    ]
    assert len(set(opacities)) == 3
    for opacity, key in zip(opacities, keys, strict=True):
        assert key.endswith(f", {opacity})")


def test_theme_decides_text_and_ground() -> None:
    layout = class_balance(COUNTS).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.color is None


@pytest.mark.parametrize("number", [0, 1])
def test_tiny_datasets_can_be_drawn(number: int) -> None:
    figure = class_balance({split: [number] + [0] * 6 for split in COUNTS})
    assert figure.layout.xaxis.range[1] > 0


def test_words_say_the_same_as_the_bars() -> None:
    text = class_balance_text(COUNTS)
    assert "Happy 8,989" in text
    assert text.count(",") > len(EMOTIONS) - 1
