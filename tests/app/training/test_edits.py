import pytest

from app.training import edits
from pipeline.dataset.overlay import Edit, Overlay, exclude, relabel, undo


def overlay(*made: Edit) -> Overlay:
    return Overlay.replay("f", made)


THREE = (relabel([1, 2], 3), exclude([2, 4]), relabel([5], 6))


@pytest.mark.parametrize("made", [(), (exclude([1]), undo())])
def test_without_edits_there_is_no_choice(made: tuple[Edit, ...]) -> None:
    assert edits.offered(overlay(*made), "none") == {}


def test_offers_none_and_the_latest() -> None:
    assert edits.offered(overlay(*THREE), "none") == {
        "none": "None, as imported",
        "latest": "Version 3 (latest): 2 relabelled, 2 left out",
    }


def test_the_older_version_of_a_cloned_run_stays_on_offer() -> None:
    assert edits.offered(overlay(*THREE), "1") == {
        "none": "None, as imported",
        "latest": "Version 3 (latest): 2 relabelled, 2 left out",
        "1": "Version 1: 2 relabelled",
    }


def test_a_version_that_is_the_latest_stays_itself() -> None:
    assert list(edits.offered(overlay(*THREE), "3")) == ["none", "3"]


def test_an_older_version_outlives_an_undo() -> None:
    assert list(edits.offered(overlay(exclude([1]), undo()), "1")) == ["none", "1"]


def test_a_version_that_never_was_is_not_offered() -> None:
    assert "4" not in edits.offered(overlay(*THREE), "4")
