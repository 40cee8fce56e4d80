"""The queue of runs that wait to be trained: which is next, and how many at a time."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from app.training import curation
from pipeline.errors import PipelineError
from pipeline.training.queue import MAX_SLOTS, QueueState

_SLOTS = "queue_slots"
_ORDINALS = ("next", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def place_words(run_id: str) -> str:
    """Where a run stands: `next in the queue`, `second in the queue`, `place 12 in the queue`."""
    place = resources.queue().state.place(run_id)
    if not place:
        return "about to start"
    if place <= len(_ORDINALS):
        return f"{_ORDINALS[place - 1]} in the queue"
    return f"place {place} in the queue"


def popover() -> None:
    """A button that opens the queue, to change its order and how many train at a time."""
    queue = resources.queue().state
    number = len(queue.waiting)
    with st.popover(f"Queue ({number})" if number else "Queue", icon=":material/schedule:"):
        st.session_state[_SLOTS] = queue.slots
        st.number_input(
            "Runs at a time",
            min_value=1,
            max_value=MAX_SLOTS,
            key=_SLOTS,
            help="Side by side each takes longer, and each needs its own memory. Runs started in "
            "a terminal count, too.",
            on_change=_slots_changed,
        )
        if not queue.waiting:
            st.caption("Nothing waits. A run that is started while others train is queued here.")
            return
        for place in range(1, number + 1):
            _row(queue, place)


def _row(queue: QueueState, place: int) -> None:
    run_id = queue.waiting[place - 1]
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key=f"queue_row_{place}"
    ):
        st.markdown(f"{place}. {views.plain(_name(run_id))}", width="stretch")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            _buttons(run_id, place, len(queue.waiting))


def _buttons(run_id: str, place: int, last: int) -> None:
    moves = (
        ("Earlier", "up", "arrow_upward", place == 1, place - 1),
        ("Later", "down", "arrow_downward", place == last, place + 1),
    )
    for help, key, icon, disabled, target in moves:
        st.button(
            f":material/{icon}:",
            key=f"queue_{key}_{place}",
            help=help,
            disabled=disabled,
            on_click=_move,
            args=(run_id, target),
        )
    st.button(
        ":material/close:",
        key=f"queue_out_{place}",
        help="Take out of the queue; the run stays",
        on_click=_take_out,
        args=(run_id,),
    )


def _name(run_id: str) -> str:
    try:
        return curation.name(resources.runs().get(run_id))
    except PipelineError:
        return run_id  # deleted meanwhile; it leaves the queue by itself


def _slots_changed() -> None:
    with views.guarded():
        resources.queue().set_slots(int(st.session_state[_SLOTS]))


def _move(run_id: str, place: int) -> None:
    with views.guarded():
        resources.queue().move(run_id, place)


def _take_out(run_id: str) -> None:
    with views.guarded():
        resources.queue().remove(run_id)
