"""Overview: what there is, what can be done now, and where it lies."""

import streamlit as st

from app import (
    dataset_view,
    first_steps,
    get_data,
    home_view,
    model_view,
    resources,
    runs_view,
    scripts_ahead,
    state,
    views,
)

active = state.active_dataset(resources.home(), resources.datasets())
has_several = len(resources.datasets().names()) > 1

st.title("Overview", anchor=False)
st.caption("Explore facial-expression data, train a network on it, see where it fails and why.")

with views.guarded():
    first_steps.view(has_dataset=active is not None)

if active is None:
    with views.card("Get a dataset", "database", key="get_data"):
        get_data.section()
else:
    with views.guarded():
        dataset_view.card(active, is_alone=not has_several)

if active is None or not has_several:
    with views.guarded():
        model_view.card(active)
else:
    left, right = st.columns(2)
    with left, views.guarded():
        model_view.card(active)
    with right, views.guarded():
        dataset_view.shelf(active)

with views.guarded():
    runs_view.latest()

if active is not None:
    views.fold("Get another dataset", "add", get_data.section, key="get_data_fold")

with views.guarded():
    home_view.section()

scripts_ahead.load()
