"""Runs: every training that there was, and what came of it."""

import streamlit as st

from app.training import line, shelf, transfer, trash

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Runs", anchor=False, width="stretch")
    with st.container(horizontal=True, width="content", gap="small"):
        line.popover()
        transfer.popover()
        trash.popover()
st.caption("Every training: its scores, what it cost, and its model for the other pages to use.")
shelf.view()
