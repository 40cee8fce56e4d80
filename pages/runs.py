"""Runs: every training that there was, and what came of it."""

import streamlit as st

from app.training import shelf

st.title("Runs", anchor=False)
st.caption("Every training: its scores, what it cost, and its model for the other pages to use.")
shelf.view()
