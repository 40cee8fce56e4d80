import pytest

from app import reference_charts
from app.reference_charts import Mark
from pipeline.dataset import Split
from pipeline.evaluation.references import Kind, Reference

CLAIM = Reference("Claim", 0.72, 0.75, None, Kind.PUBLISHED, "A paper")
MEASURED = Reference("Checked", 0.655, 0.655, Split.TEST, Kind.MEASURED, "Here")


def test_own_marks_come_first_and_references_are_told_apart() -> None:
    own = Mark("mine", 0.62, (0.6, 0.65))
    mine, claim, checked = reference_charts.accuracies([own], [CLAIM, MEASURED]).data
    assert (mine.x, mine.y) == ((62,), ("mine",))
    assert (mine.error_x.array[0], mine.error_x.arrayminus[0]) == pytest.approx((3, 2))
    assert claim.x == (72, 75)
    assert (claim.marker.symbol, checked.marker.symbol) == ("diamond-open", "diamond")
    assert "published, split not stated" in claim.hovertemplate


def test_ranges_and_splits_in_words() -> None:
    assert reference_charts.percent_range(CLAIM) == "72 to 75 %"
    assert reference_charts.percent_range(MEASURED) == "65.5 %"
    assert reference_charts.split_text(MEASURED) == "test"
