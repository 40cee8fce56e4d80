"""Title, tags and note of a run, and putting runs away."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from pipeline.errors import PipelineError
from pipeline.runs import Run, RunNotes, edit_notes
from pipeline.runs.notes import MAX_NOTE, MAX_TAGS, MAX_TITLE

_SEEN, _PROBLEM = "runs_edit_seen", "runs_edit_problem"
_TITLE, _TAGS, _NOTE = "runs_edit_title", "runs_edit_tags", "runs_edit_note"


def name(run: Run) -> str:
    """A run as lists write it: its title with its id behind it, or the id alone."""
    title = run.notes.title
    return f"{title} ({run.id})" if title else run.id


def archive(runs: list[Run]) -> None:
    """Puts runs away, or back if all of them are away."""
    away = all(run.notes.archived for run in runs)
    for run in runs:
        edit_notes(run.folder, archived=not away)
    st.rerun()


def edit(run: Run) -> None:
    """Opens the form for what people say of a run."""
    # What the form starts from: a change that another tab makes meanwhile is not overwritten.
    st.session_state[_SEEN] = run.notes
    st.session_state[_PROBLEM] = None
    _form(run)


@st.dialog("Title, tags and note", icon=":material/edit:")
def _form(run: Run) -> None:
    seen: RunNotes = st.session_state[_SEEN]
    known = {tag for other in resources.runs().list() for tag in other.notes.tags}
    st.caption(f"Its id stays `{run.id}`.")
    st.text_input("Title", seen.title, max_chars=MAX_TITLE, key=_TITLE, placeholder=run.id)
    st.multiselect(
        "Tags",
        sorted(known | set(seen.tags)),
        list(seen.tags),
        max_selections=MAX_TAGS,
        accept_new_options=True,
        placeholder="Choose one, or type a new one",
        key=_TAGS,
    )
    st.text_area("Note", seen.note, max_chars=MAX_NOTE, key=_NOTE)
    problem: PipelineError | None = st.session_state[_PROBLEM]
    if problem is not None:
        views.show_error(problem)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="runs_edit_cancel"):
            st.rerun()
        saved = st.button(
            "Save", key="runs_edit_save", type="primary", on_click=_save, args=(run, seen)
        )
        if saved and problem is None:
            st.rerun()


def _save(run: Run, seen: RunNotes) -> None:
    st.session_state[_PROBLEM] = None
    try:
        wanted = RunNotes.make(
            st.session_state[_TITLE], st.session_state[_TAGS], st.session_state[_NOTE]
        )
        changes = {
            name: getattr(wanted, name)
            for name in ("title", "tags", "note")
            if getattr(wanted, name) != getattr(seen, name)
        }
        edit_notes(run.folder, seen=seen, **changes)
    except PipelineError as error:
        # Shown in the form: what a callback itself says would stand above the page.
        st.session_state[_PROBLEM] = error
