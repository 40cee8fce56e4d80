"""Live: the expressions of the faces in front of the webcam."""

import streamlit as st

from app import get_model, resources, responsible_use, settings_panel
from app.live import trouble, view

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Live", anchor=False, width="stretch")
    settings = settings_panel.popover(smoothing=True)
st.caption(
    "How the faces in front of the webcam look to the model. The video goes from your browser to "
    "FER Lab and back, and nowhere else; nothing is stored."
)
responsible_use.link()

if resources.models().active() is None:
    get_model.no_model()
else:
    # Each part has its place even while it is empty: a video whose place on the page changed would
    # be torn off.
    with st.container():
        settings_panel.synthetic_warning()
    with st.container():
        ready = view.is_active() or view.gate()
    with st.container():
        if ready:
            view.stage(settings)
        else:
            view.last_session()
    trouble.connection()
