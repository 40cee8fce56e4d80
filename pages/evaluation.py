"""Evaluate: how good a model is on a split, where it fails, and how sure it is."""

import streamlit as st

from app import get_model, resources
from app.evaluation import page

st.title("Evaluate", anchor=False)
st.caption("How good a model is, where it fails, and how far its probabilities can be believed.")

if resources.models().active() is None:
    get_model.no_model()
else:
    page.board()
