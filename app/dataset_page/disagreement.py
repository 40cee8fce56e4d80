"""Human disagreement: what FER+ taggers say of the labels."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import tables, views
from app.charts import CONFIG
from app.dataset_page import charts, look, votes
from app.dataset_page.desk import Desk, image_table
from pipeline.dataset.agreement import Agreement, agreement
from pipeline.dataset.ferplus import COLUMNS
from pipeline.labels import EMOTIONS

_NO_MAJORITY = "No majority"


def tab(desk: Desk) -> None:
    """Agreement on the whole and per class, the confusion, and the images in dispute."""
    dataset = desk.dataset
    if dataset.votes is None:
        votes.offer(dataset.name, dataset.meta)
        return
    found = agreement(dataset.labels, dataset.votes)
    agreeing = int(np.trace(found.confusion[:, : len(EMOTIONS)]))
    number = len(dataset)
    st.markdown(
        f"More than half of the taggers agree with **{agreeing:,}** labels "
        f"({views.percent(agreeing / number)}), and choose another of the seven emotions for "
        f"**{len(found.differing):,}** ({views.percent(len(found.differing) / number)}). "
        f"**{len(found.undecided):,}** images have no majority."
    )
    st.plotly_chart(
        charts.confusion(found.confusion, [*charts.TITLES, _NO_MAJORITY]),
        config=CONFIG,
        key="confusion",
        alt="How the taggers call the images of each label; the table below has the numbers",
    )
    _tables(dataset.name, found)
    for title, what, key, images in (
        ("No majority", "Undecided", "no-majority", found.undecided),
        ("Majority differs from the label", "Differing", "majority-differs", found.differing),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            views.heading(title, f": {len(images):,} images", width="stretch")
            look.link(desk, title, images, key=f"look_{key}")
            tables.download(
                partial(image_and_votes, desk, images),
                f"{dataset.name}-{key}",
                label=f"{what} as CSV",
            )


def class_table(found: Agreement) -> pd.DataFrame:
    """Agreement for each class, a row each."""
    matrix = found.confusion
    rows = np.maximum(matrix.sum(axis=1), 1)
    own = np.diag(matrix[:, : len(EMOTIONS)])
    return pd.DataFrame(
        {
            "class": charts.TITLES,
            "images": matrix.sum(axis=1),
            "majority agrees %": (100 * own / rows).round(1),
            "majority differs %": (100 * (rows - own - matrix[:, -1]) / rows).round(1),
            "no majority %": (100 * matrix[:, -1] / rows).round(1),
            "mean votes for the label %": (100 * found.own_share).round(1),
            "entropy (bits)": found.entropy.round(2),
        }
    )


def confusion_table(found: Agreement) -> pd.DataFrame:
    """The confusion in images, a row for each label."""
    table = pd.DataFrame(found.confusion, columns=[*charts.TITLES, _NO_MAJORITY])
    table.insert(0, "label", charts.TITLES)
    return table


def image_and_votes(desk: Desk, images: np.ndarray) -> pd.DataFrame:
    """Images with all their votes, a row each."""
    table = image_table(desk, images)
    if desk.dataset.votes is None:
        return table
    cast = pd.DataFrame(desk.dataset.votes[images], columns=list(COLUMNS))
    return pd.concat([table, cast], axis=1)


def _tables(name: str, found: Agreement) -> None:
    tables.plain_table(
        "Agreement per class",
        class_table(found),
        f"{name}-agreement",
        what="Agreement",
        digits={"entropy (bits)": 2},
    )
    tables.plain_table(
        "Label against majority, in images",
        confusion_table(found),
        f"{name}-confusion",
        what="Images",
    )
