"""Sweeps: search for better settings, with many trainings."""

import streamlit as st

from app import resources, views
from app.messages import describe
from app.sweeps import form, steer, watch

st.title("Sweeps", anchor=False)
st.caption(
    "Let the computer look for better settings: it trains again and again, and learns from each "
    "training what to try next. It goes on when this page, or the whole dashboard, is closed."
)

with views.guarded():
    # The first time, Optuna and its database take a second or two to load.
    with st.spinner("Opening the sweeps"):
        names, errors = resources.sweeps().usable()
    for error in errors:
        st.warning(views.plain(describe(error) or ""), icon=":material/warning:")
    if steer.choose_view(names) == steer.WATCH:
        watch.view(names)
    else:
        form.view()
