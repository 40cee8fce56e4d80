import threading

import pytest

from pipeline.errors import ConfigError, RunNotFoundError, RunStateError
from pipeline.runs import Run, RunNotes, RunStore, edit_notes
from pipeline.runs.notes import change_tags


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create({}, name="mine")


def test_title_is_the_id_until_somebody_gives_one(run: Run, store: RunStore) -> None:
    assert run.title == "mine"
    assert run.notes == RunNotes()
    edit_notes(run.folder, title="  The   good one\n")
    assert run.title == "The good one"
    # What goes by the id still does.
    assert store.get("mine") == run


def test_tags_are_in_order_and_each_there_once(run: Run) -> None:
    edit_notes(run.folder, tags=["Soft  Labels", "a", "soft labels", " "])
    assert run.notes.tags == ("a", "soft labels")
    change_tags(run.folder, add=["b"], remove=["A", "never there"])
    assert run.notes.tags == ("b", "soft labels")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": "x" * 81}, "80 characters at most"),
        ({"note": "x" * 4001}, "4000 characters at most"),
        ({"tags": ["a,b"]}, "no commas"),
        ({"tags": ["x" * 31]}, "30 characters"),
        ({"tags": [str(n) for n in range(13)]}, "12 tags at most"),
    ],
)
def test_what_is_too_much_changes_nothing(
    run: Run, changes: dict[str, object], reason: str
) -> None:
    before = edit_notes(run.folder, title="kept")
    with pytest.raises(ConfigError, match=reason):
        edit_notes(run.folder, **changes)
    assert run.notes == before


def test_two_tabs_that_change_different_things_both_have_their_way(run: Run) -> None:
    seen = run.notes
    edit_notes(run.folder, seen=seen, title="from one tab")
    edit_notes(run.folder, seen=seen, note="from the other")
    assert run.notes == RunNotes("from one tab", (), "from the other")


def test_what_another_tab_wrote_is_not_overwritten_unseen(run: Run) -> None:
    seen = run.notes
    edit_notes(run.folder, seen=seen, note="first")
    with pytest.raises(RunStateError, match="changed elsewhere meanwhile, to 'first'"):
        edit_notes(run.folder, seen=seen, note="second")
    edit_notes(run.folder, seen=seen, note="first")  # the same twice is no quarrel
    assert run.notes.note == "first"


def test_no_edit_is_lost_among_many(run: Run) -> None:
    changes = [{"title": "t"}, {"note": "n"}, {"tags": ["x"]}, {"archived": True}] * 3
    threads = [
        threading.Thread(target=edit_notes, args=(run.folder,), kwargs=change) for change in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.notes == RunNotes("t", ("x",), "n", archived=True)


def test_deleted_run_is_not_made_anew(run: Run, store: RunStore) -> None:
    store.delete(run.id)
    with pytest.raises(RunNotFoundError, match="not there any more"):
        edit_notes(run.folder, title="late")
    assert not run.folder.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"title": 3}', "", '{"tags": "ab"}'])
def test_damaged_notes_are_none(run: Run, content: str) -> None:
    (run.folder / "notes.json").write_text(content)
    assert run.notes == RunNotes()
