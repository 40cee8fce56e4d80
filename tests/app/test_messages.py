import errno

import pytest

from app.messages import describe
from app.views import count, duration, file_size, interval, percent, plain, when
from pipeline.errors import DatasetError


def test_pipeline_errors_speak_for_themselves() -> None:
    assert describe(DatasetError("a.csv, row 3: bad label")) == "a.csv, row 3: bad label."
    assert describe(DatasetError("give a path")) == "Give a path."
    assert describe(DatasetError("is it?")) == "Is it?"


def test_full_disk_and_missing_file_are_told() -> None:
    assert "disk is full" in str(describe(OSError(errno.ENOSPC, "No space left on device")))
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory", "/x/y.csv")
    assert describe(missing) == "/x/y.csv: no such file or directory."


@pytest.mark.parametrize("error", [RuntimeError("inner"), KeyError("x"), OSError(5, "I/O")])
def test_the_unforeseen_gets_no_sentence(error: Exception) -> None:
    assert describe(error) is None


def test_names_from_outside_do_not_become_markdown() -> None:
    assert plain("my_file[1]*.csv $x$ :red") == r"my\_file\[1\]\*.csv \$x\$ \:red"
    assert plain("row 3: a, b") == "row 3: a, b"


def test_numbers_in_words_stay_with_their_units() -> None:
    assert percent(0.71349) == "71.3\u00a0%"
    assert interval(0.701, 0.7244) == "70.1 to 72.4\u00a0%"
    assert [count(n) for n in (912, 9_999, 834_100, 999_999, 2_360_000)] == [
        "912",
        "9,999",
        "834\u00a0k",
        "1.00\u00a0M",
        "2.36\u00a0M",
    ]
    assert [file_size(n) for n in (0, 999, 999_960, 82_700_000, 3e12)] == [
        "0\u00a0bytes",
        "999\u00a0bytes",
        "1.0\u00a0MB",
        "82.7\u00a0MB",
        "3.0\u00a0TB",
    ]
    assert [duration(s) for s in (0.2, 59, 59.7, 4800)] == [
        "1\u00a0s",
        "59\u00a0s",
        "1\u00a0min",
        "1\u00a0h\u00a020\u00a0min",
    ]


def test_absent_time_is_a_dash() -> None:
    assert when(None) == "—"
    assert when("2026-03-06T14:05:00+00:00").endswith(":05")
