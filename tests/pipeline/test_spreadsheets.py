import pytest

from pipeline.spreadsheets import harmless


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1"]
)
def test_text_that_would_be_a_formula_is_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "cell", ["", "a=b", "me@home", "-0.5", "+1e-3", "-inf", "−0.4", "'=1'", -0.5, 3, True, None]
)
def test_all_else_stays_as_it_is(cell: object) -> None:
    assert harmless(cell) == cell
