"""Three lines for a newcomer: what can be done now."""

from __future__ import annotations

import streamlit as st

from app import get_data, resources

_STEPS = (
    (
        "Get faces",
        "Import FER-2013 below, or let FER Lab draw a demo dataset in a few seconds.",
    ),
    ("Train a network", "Choose a recipe and start; the training goes on without this page."),
    (
        "Try it on faces",
        "See its accuracy with the uncertainty here, then try it on photos, videos or the webcam.",
    ),
)


def view(*, has_dataset: bool) -> None:
    """The steps, those done ticked off; nothing once there is a dataset and a model.

    Args:
        has_dataset: Whether the first step is done.
    """
    if has_dataset and resources.models().active() is not None:
        return
    with st.grid(3, min_column_width=220, gap="small", key="first_steps"):
        for number, (title, text) in enumerate(_STEPS, start=1):
            with st.container(border=True, height="stretch", gap="xsmall"):
                done = has_dataset and number == 1
                mark = ":green[:material/check_circle:]" if done else f":primary[**{number}**]"
                st.markdown(f"{mark}  **{title}**")
                st.caption(text)
                if number == 2 and has_dataset:
                    st.space("stretch")
                    st.page_link(
                        "pages/train.py", label="Train a network", icon=":material/model_training:"
                    )
                if number == 1 and not has_dataset:
                    st.space("stretch")
                    st.button(
                        "Build the demo dataset",
                        key="first_demo",
                        type="primary",
                        icon=":material/draw:",
                        width="stretch",
                        on_click=get_data.start_demo,
                    )
