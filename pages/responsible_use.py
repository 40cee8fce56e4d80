"""Responsible use: what an expression can tell, and what must not be done with it."""

import streamlit as st

from app import responsible_use, views

st.title("Responsible use", anchor=False)
st.caption("What an expression can and cannot tell, what the law asks, and what is kept where.")

with views.guarded():
    responsible_use.view()
