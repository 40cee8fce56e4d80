"""Video: who in a video file shows which expression, and when."""

import streamlit as st

from app import get_model, resources, responsible_use, reveal, settings_panel
from app.video import shared, view

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Video", anchor=False, width="stretch")
    settings = settings_panel.popover(smoothing=True)
st.caption(
    "Who shows which expression, and when. The file is deleted once it has been read; the results "
    "go when you remove them or stop FER Lab."
)
responsible_use.link()

result = shared.desk().result
if resources.models().active() is None and result is None:
    get_model.no_model()
else:
    settings_panel.synthetic_warning()
    if result is None:
        view.source(settings)
    else:
        with st.expander("Another video", icon=":material/add:", key="video_next"):
            view.source(settings)
        view.board(result, settings)
        reveal.asked()
