"""Dataset: what is in the active dataset, and whether it can be trusted."""

import streamlit as st

from app import resources, state
from app.dataset_page import page

active = state.active_dataset(resources.home(), resources.datasets())

st.title("Dataset", anchor=False)

if active is None:
    page.no_dataset()
else:
    page.board(active)
