from collections.abc import Callable

import pytest

from pipeline.cli.tables import print_facts, print_rows
from pipeline.home import Home
from tests.compared_runs import store_bars, store_run

Command = Callable[..., int]
RUN = "mini_xception-20260131-235959"
OTHER = "efficientnet_v2b0-20260131-1"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes standard output a terminal of so many columns."""

    def make(width: int) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))

    return make


@pytest.fixture
def runs(home: Home) -> None:
    bars = store_bars(home)
    store_run(home, RUN, bars)
    store_run(home, OTHER, bars, blind_to=(0, 3), learning_rate=0.01)


def test_columns_are_left_out_in_order_until_the_rest_fits(
    terminal: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"name": "n" * 10, "first_to_go": "f" * 10, "second_to_go": "s" * 10, "kept": "k" * 10}
    terminal(45)
    print_rows("Title", [row], least=["first_to_go", "second_to_go"])
    shown = capsys.readouterr()
    assert ["f" * 10 in shown.out, "s" * 10 in shown.out, "k" * 10 in shown.out] == [
        False,
        True,
        True,
    ]
    assert "No room for first to go: widen the terminal" in shown.err


def test_nothing_is_left_out_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    row = {"name": "n" * 50, "other": "o" * 150}
    print_rows("Title", [row], least=["other"])
    shown = capsys.readouterr()
    assert "n" * 50 in shown.out
    assert "o" * 150 in shown.out
    assert shown.err == ""


def test_what_is_wider_than_the_terminal_is_folded_and_not_cut(
    terminal: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(20)
    print_rows("Title", [{"name": "x" * 37}])
    print_facts("Title", {"fact": "y" * 37})
    shown = capsys.readouterr().out
    assert (shown.count("x"), shown.count("y")) == (37, 37)
    assert "…" not in shown


def test_facts_that_are_not_known_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("Title", {"val_accuracy": 0.5, "best_epoch": None, "note": "", "count": 0})
    shown = capsys.readouterr().out
    assert "val accuracy" in shown
    assert "count" in shown
    assert "best epoch" not in shown
    assert "note" not in shown


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["runs", "list"], [RUN, OTHER, "finished"]),
        (["runs", "show", RUN], [RUN, "seed_cnn", "macro", "bars"]),
        (["runs", "compare", RUN, OTHER], [RUN, OTHER, "learning", "0.001"]),
        (["compare", RUN, OTHER], [RUN, OTHER, "worse", "71.4%"]),
    ],
)
def test_eighty_columns_show_whole_ids_and_what_was_asked_for(
    command: Command, terminal: Callable[[int], None], capsys: pytest.CaptureFixture[str],
    words: list[str], expected: list[str],
) -> None:  # fmt: skip
    terminal(80)
    assert command(*words) == 0
    shown = capsys.readouterr().out
    for text in expected:
        assert text in shown
    assert "…" not in shown
