"""The photos of the browser tab that asks."""

from __future__ import annotations

import streamlit as st

from app.photo.desk import PhotoDesk


def photos() -> PhotoDesk:
    """The photos of this tab; they live until it is closed."""
    desk: PhotoDesk = st.session_state.setdefault("photos", PhotoDesk())
    return desk
