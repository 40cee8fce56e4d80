"""Putting a training together: the form, what it will cost, and the button that starts it."""

from __future__ import annotations

import streamlit as st

from app import get_data, resources, views
from app.training import costs, draft, fields, form, launch, steer
from app.training.form import Request
from pipeline.errors import ConfigError
from pipeline.training.config import TrainingConfig


def view() -> None:
    """The form and beside it the costs and the start."""
    names = resources.datasets().names()
    if not names:
        get_data.no_dataset("A network learns from labelled faces.", key="train_no_dataset")
        return
    left, right = st.columns([5, 2], gap="medium")
    with left:
        request = form.view(names)
    with right, views.card("This training", "model_training", key="train_start_card"):
        if request.problem is not None:
            views.show_error(request.problem)
        if request.config is not None:
            with views.guarded():
                costs.view(request, request.config)
        _start(request)


def _start(request: Request) -> None:
    name = st.text_input(
        "Name",
        key="train_name",
        placeholder="From network and time",
        help="Lower-case letters, digits, '.', '_' and '-'.",
    )
    config = request.config
    pressed = st.button(
        "Start training",
        key="train_start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=config is None,
    )
    if pressed and config is not None and _begin(request, config, name):
        st.rerun()
    ahead = launch.lively()
    if len(ahead) >= resources.queue().state.slots:
        st.caption(
            f"{views.plain(ahead[0].title)} is being trained: this one is queued behind it, and "
            "starts by itself."
            if len(ahead) == 1
            else f"{len(ahead)} runs are ahead: this one is queued, and starts by itself."
        )


def _begin(request: Request, config: TrainingConfig, name: str) -> bool:
    with views.guarded():
        try:
            run = launch.begin(config, request.dataset, name.strip() or None, request.edits)
        except ConfigError as error:
            raise fields.in_words(error) from error
        if request.stands_in:
            draft.follow_active(resources.home())  # it was said, and the training was started
        steer.show(run)
        return True
    return False
