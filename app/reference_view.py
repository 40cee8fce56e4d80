"""What others achieve on FER-2013, as a table for the pages that compare with them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import views
from app.reference_charts import percent_range, split_text
from pipeline.evaluation.references import Kind, Reference

_BADGES = {Kind.PUBLISHED: ":gray-badge[Published]", Kind.MEASURED: ":green-badge[Measured]"}
NOTE = (
    "**Published**: what the source states; nobody checked it here, and splits and clean-up may "
    "differ. **Measured**: scored for FER Lab on the test split. Neither is one of your runs."
)


def table(references: Sequence[Reference]) -> None:
    """The reference rows with their sources, labelled published or measured.

    Args:
        references: From `pipeline.evaluation.references`.
    """
    # A table of Markdown and not a data frame: the sources are sentences, and need their lines.
    st.table(
        [
            {
                "Reference": f"{views.plain(item.name)} {_BADGES[item.kind]}",
                "Accuracy": f"{percent_range(item)} :small[:gray[{split_text(item)}]]",
                "Source": _source(item),
            }
            for item in references
        ],
        hide_index=True,
        border="horizontal",
    )
    st.caption(NOTE)


def _source(item: Reference) -> str:
    text = views.plain(item.source)
    return f"[{text}]({item.url})" if item.url else text
