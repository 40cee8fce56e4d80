"""Class balance: how many images of each class, and what weights would make of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import charts, dataset_charts
from app.dataset_page.desk import Desk, download
from pipeline.dataset import SPLITS, DatasetMeta, Split
from pipeline.labels import EMOTIONS
from pipeline.training.config import settings
from pipeline.training.targets import class_weights


def tab(desk: Desk) -> None:
    """The charts, the figures and the two tables."""
    meta = desk.dataset.meta
    with st.container(horizontal=True):
        arrangement = st.segmented_control(
            "Bars", ("Grouped", "Stacked"), default="Grouped", required=True, key="balance_bars"
        )
        unit = st.segmented_control(
            "Values", ("Counts", "Shares"), default="Counts", required=True, key="balance_unit"
        )
    st.plotly_chart(
        dataset_charts.balance(
            meta.counts, grouped=arrangement == "Grouped", shares=unit == "Shares"
        ),
        config=charts.CONFIG,
        key="balance_chart",
        alt=charts.class_balance_text(meta.counts),
    )
    st.markdown(imbalance_words(meta))
    _table("Images per class and split", count_table(meta), f"{desk.dataset.name}-balance")
    weights = weight_table(np.asarray(desk.dataset.labels[desk.dataset.indices(Split.TRAIN)]))
    _table("Class weights in training", weights, f"{desk.dataset.name}-class-weights")
    st.caption(
        "What one training image of a class counts under each scheme of `class_weights`; the mean "
        "over all images is 1. “Copies” is how often an image would have to be drawn for its "
        "class to be as frequent as the largest."
    )


def count_table(meta: DatasetMeta) -> pd.DataFrame:
    """Images and shares of each class in each split, and in all."""
    table = pd.DataFrame({"class": [emotion.title for emotion in EMOTIONS]})
    totals = np.zeros(len(EMOTIONS), np.int64)
    for split in SPLITS:
        counts = np.array(meta.counts[split], np.int64)
        totals += counts
        table[charts.SPLIT_TITLES[split]] = counts
        table[f"{charts.SPLIT_TITLES[split]} %"] = _percent(counts)
    table["All"] = totals
    table["All %"] = _percent(totals)
    return table


def weight_table(labels: np.ndarray) -> pd.DataFrame:
    """The weight of an image of each class under each scheme that training knows.

    Args:
        labels: The training labels.
    """
    counts = np.bincount(labels, minlength=len(EMOTIONS))
    table = pd.DataFrame({"class": [emotion.title for emotion in EMOTIONS], "images": counts})
    for scheme in settings()["class_weights"].choices:
        table[scheme] = class_weights(labels, scheme).round(3)
    table["copies"] = np.divide(
        counts.max(initial=0), counts, out=np.zeros(len(counts)), where=counts > 0
    ).round(2)
    return table


def imbalance_words(meta: DatasetMeta) -> str:
    """The imbalance of each split in a sentence, as Markdown."""
    words = []
    for split in SPLITS:
        counts = meta.counts[split]
        most, least = int(np.argmax(counts)), int(np.argmin(counts))
        if counts[least]:
            words.append(
                f"{charts.SPLIT_TITLES[split]}: **{counts[most] / counts[least]:.1f} to 1** "
                f"({EMOTIONS[most].name} to {EMOTIONS[least].name})"
            )
        elif counts[most]:
            words.append(f"{charts.SPLIT_TITLES[split]}: no image of {EMOTIONS[least].name}")
        else:
            words.append(f"{charts.SPLIT_TITLES[split]}: no images")
    return "Largest to smallest class. " + " · ".join(words)


def _percent(counts: np.ndarray) -> np.ndarray:
    return (100 * counts / max(int(counts.sum()), 1)).round(2)


def _table(title: str, table: pd.DataFrame, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="stretch")
        download(table.copy, name)
    st.dataframe(table, hide_index=True, key=f"table_{name}")
