"""Photo: the expressions of the faces in pictures, and why the model says so."""

import streamlit as st

from app import get_model, resources, responsible_use, reveal, settings_panel
from app.photo import view
from app.photo.session import photos

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Photo", anchor=False, width="stretch")
    settings = settings_panel.popover()
st.caption("How the faces in pictures look to the model, and why. Nothing is stored.")
responsible_use.link()

if resources.models().active() is None:
    get_model.no_model()
else:
    settings_panel.synthetic_warning()
    view.sources()
    if photos().photos:
        recognizer, results = view.recognized(settings)
        view.unreadable(results)
        view.board(results, recognizer)
        reveal.asked()
