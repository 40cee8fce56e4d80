"""Train: put a training together, start it, watch it."""

import streamlit as st

from app import resources
from app.training import line, setup, steer, watch

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Train", anchor=False, width="stretch")
    line.popover()
st.caption("Train a network here. It goes on when this page, or the whole dashboard, is closed.")

runs = resources.runs().list()
if steer.choose_view(runs) == steer.WATCH:
    watch.view(runs)
else:
    setup.view()
