"""Deleted runs: taking a deletion back at once, or looking for a run in the trash."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from app.training import curation
from pipeline.runs import KEPT_FOR, Run, TrashedRun

_JUST_DELETED = "runs_just_deleted"
_WAS_ACTIVE = "runs_deleted_active"


def delete(runs: list[Run]) -> None:
    """Moves runs to the trash and offers to take that back.

    Raises:
        RunStateError: If one is being trained; those before it are in the trash.
    """
    active = resources.models().active()
    gone: list[TrashedRun] = []
    st.session_state[_JUST_DELETED] = gone
    st.session_state[_WAS_ACTIVE] = None
    for run in runs:
        gone.append(resources.runs().delete(run.id))
        resources.queue().remove(run.id)
        if active is not None and active.folder == run.folder:
            st.session_state[_WAS_ACTIVE] = run.id


def undo_line() -> None:
    """What this tab deleted last, with the button that takes it back."""
    gone: list[TrashedRun] = st.session_state.get(_JUST_DELETED, [])
    if not gone:
        return
    ids = [item.run.id for item in gone]
    text = f"Deleted {', '.join(ids)}."
    was_active = st.session_state.get(_WAS_ACTIVE)
    if was_active in ids:
        active = resources.models().active()
        now = "there is none" if active is None else f"it is {active.name}"
        text += f" The active model was {was_active}; now {now}."
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="runs_undo"):
        with st.container(width="stretch"):
            st.info(views.plain(text), icon=":material/delete:")
        st.button("Undo", key="runs_undo_delete", icon=":material/undo:", on_click=_undo)
        st.button(
            "Dismiss",
            key="runs_undo_dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=_forget,
        )


def popover() -> None:
    """A button that opens the trash."""
    items = resources.runs().trash.list()
    with st.popover(
        f"Trash ({len(items)})" if items else "Trash", icon=":material/delete:", disabled=not items
    ):
        st.caption(f"Removed for good {KEPT_FOR.days} days after it was deleted.")
        with views.shelf(len(items) > 6, height=320, key="trash_items"):
            for item in items:
                _row(item)
        if st.button("Empty the trash", key="trash_empty", icon=":material/delete_forever:"):
            _confirm(len(items))


def _row(item: TrashedRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        deleted = views.when(item.deleted.isoformat())
        st.markdown(
            f"{views.plain(curation.name(item.run))}  \n:small[:gray[{deleted}]]",
            width="stretch",
        )
        st.button(
            "Restore",
            key=f"trash_restore_{item.token}",
            icon=":material/restore_from_trash:",
            on_click=_restore,
            args=([item.token],),
        )


@st.dialog("Empty the trash?", icon=":material/delete_forever:")
def _confirm(number: int) -> None:
    what = "1 run is" if number == 1 else f"{number} runs are"
    st.markdown(f"{what} removed from this computer for good, with models and checkpoints.")
    views.keep_or_delete(_empty, key="trash_discard")


def _undo() -> None:
    _restore([item.token for item in st.session_state.get(_JUST_DELETED, [])])


def _restore(tokens: list[str]) -> None:
    with views.guarded():
        for token in tokens:
            run = resources.runs().restore(token)
            st.toast(f"{views.plain(run.id)} is back.", icon=":material/restore_from_trash:")
    still = resources.runs().trash.list()
    gone: list[TrashedRun] = st.session_state.get(_JUST_DELETED, [])
    st.session_state[_JUST_DELETED] = [item for item in gone if item in still]


def _empty() -> None:
    resources.runs().trash.discard()


def _forget() -> None:
    st.session_state[_JUST_DELETED] = []
