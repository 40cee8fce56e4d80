"""Where to go with a model that was evaluated: use it, or hold it against the one in use."""

from __future__ import annotations

import streamlit as st

from app import active_model, resources
from pipeline.recognition.catalog import ModelEntry


def links(entry: ModelEntry) -> None:
    """What can be done with the model, in one row.

    Args:
        entry: The model on the page.
    """
    active = resources.models().active()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="onward"):
        if active is not None and active.folder == entry.folder:
            st.badge("Active model", icon=":material/check:", color="green")
            st.page_link("pages/photo.py", label="Try it on a photo", icon=":material/add_a_photo:")
            return
        active_model.button_for(entry.reference, key="evaluation_activate")
        if active is not None and "path" not in (active.origin, entry.origin):
            st.page_link(
                "pages/compare.py",
                label="Compare with the active model",
                icon=":material/compare_arrows:",
                query_params={"runs": f"{active.name},{entry.name}"},
            )
