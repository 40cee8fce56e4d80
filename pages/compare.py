"""Compare: runs and models side by side, and whether a difference is more than luck."""

import streamlit as st

from app.compare import page

st.title("Compare", anchor=False)
st.caption("What differs between runs, what it came to, and whether that is more than luck.")
page.board()
