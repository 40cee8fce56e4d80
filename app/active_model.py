"""The model that the whole dashboard serves: making another one the active one."""

from __future__ import annotations

import streamlit as st

from app import resources, views
from app.recognition import change_settings
from pipeline.recognition.classifier import EmotionClassifier

_HELP = "Photo, video, live and the JSON interface then use it."


def button(*, key: str) -> bool:
    """The button that makes a model active; tells whether it was pressed just now."""
    return st.button("Make active", key=key, icon=":material/neurology:", help=_HELP)


def button_for(reference: str, *, key: str) -> None:
    """The button, and what it does or why it cannot.

    Args:
        reference: As for `choose`.
        key: Of the button.
    """
    if button(key=key):
        with views.guarded():
            choose(reference)
            st.rerun()


def choose(reference: str) -> None:
    """Makes a model the active one.

    Loading it first proves that it scores its stored probe faces as it did when
    it was made. A threshold of "unsure" that was set by hand was meant for the
    model before, and goes with it.

    Args:
        reference: As for `ModelCatalog.resolve`.

    Raises:
        ModelLoadError: If there is no such model, it is damaged, or it scores
            otherwise than it did.
    """
    models = resources.models()
    before, entry = models.active(), models.resolve(reference)
    EmotionClassifier.load(entry.folder)
    models.activate(entry.reference)
    if before is None or before.folder != entry.folder:
        change_settings(resources.home(), unsure_below=None)
