"""Train: put a training together, start it, watch it."""

import streamlit as st

from app import resources
from app.training import setup, steer, watch

st.title("Train", anchor=False)
st.caption("Train a network here. It goes on when this page, or the whole dashboard, is closed.")

runs = resources.runs().list()
if steer.choose_view(runs) == steer.WATCH:
    watch.view(runs)
else:
    setup.view()
