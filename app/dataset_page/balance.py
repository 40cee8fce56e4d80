"""Class balance: how many images of each class, and what weights would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import tables, views
from app.charts import CONFIG, SPLIT_TITLES, class_balance_text
from app.dataset_page import charts
from app.dataset_page.desk import Desk
from pipeline.dataset import SPLITS, DatasetMeta, Split
from pipeline.dataset.resampling import Resampled, Scheme, resample
from pipeline.labels import EMOTIONS
from pipeline.training.config import settings
from pipeline.training.targets import class_weights

RESAMPLING = "balance_resampling"
"""The key of the part that tries a resampling: whether it is open."""
_SCHEMES = {
    Scheme.NONE: "None: every image once",
    Scheme.UNDERSAMPLE: "Undersample to the rarest class",
    Scheme.OVERSAMPLE: "Oversample to the commonest class",
    Scheme.SQUARE_ROOT: "Square root of the class sizes",
}


def tab(desk: Desk) -> None:
    """The charts, the figures and the tables."""
    meta = desk.dataset.meta
    with st.container(horizontal=True):
        arrangement = st.segmented_control(
            "Bars",
            ("Grouped", "Stacked"),
            default="Grouped",
            required=True,
            key="balance_bars",
            persist_state="session",
        )
        unit = st.segmented_control(
            "Values",
            ("Counts", "Shares"),
            default="Counts",
            required=True,
            key="balance_unit",
            persist_state="session",
        )
    st.plotly_chart(
        charts.balance(meta.counts, grouped=arrangement == "Grouped", shares=unit == "Shares"),
        config=CONFIG,
        key="balance_chart",
        alt=class_balance_text(meta.counts),
    )
    st.markdown(imbalance_words(meta))
    tables.plain_table(
        "Images per class and split",
        count_table(meta),
        f"{desk.dataset.name}-balance",
        what="Counts",
    )
    weights = weight_table(np.asarray(desk.dataset.labels[desk.dataset.indices(Split.TRAIN)]))
    schemes = dict.fromkeys(settings()["class_weights"].choices, 3)
    tables.plain_table(
        "Class weights in training",
        weights,
        f"{desk.dataset.name}-class-weights",
        what="Weights",
        digits={**schemes, "copies": 2},
    )
    st.caption(
        "What one training image of a class counts under each choice of “Class weights” on the "
        "Train page; the mean over all images is 1. “Copies” is how often an image would have to "
        "be drawn for its class to be as frequent as the largest."
    )
    views.fold(
        "What a subset or resampling would change",
        "casino",
        partial(_resampling, desk),
        key=RESAMPLING,
    )


def count_table(meta: DatasetMeta) -> pd.DataFrame:
    """Images and shares of each class in each split, and in all."""
    table = pd.DataFrame({"class": [emotion.title for emotion in EMOTIONS]})
    totals = np.zeros(len(EMOTIONS), np.int64)
    for split in SPLITS:
        counts = np.array(meta.counts[split], np.int64)
        totals += counts
        table[SPLIT_TITLES[split]] = counts
        table[f"{SPLIT_TITLES[split]} %"] = _percent(counts)
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
        if counts[least] and counts[least] == counts[most]:
            words.append(f"{SPLIT_TITLES[split]}: all equal")
        elif counts[least]:
            words.append(
                f"{SPLIT_TITLES[split]}: **{counts[most] / counts[least]:.1f} to 1** "
                f"({EMOTIONS[most].name} to {EMOTIONS[least].name})"
            )
        elif counts[most]:
            words.append(f"{SPLIT_TITLES[split]}: no image of {EMOTIONS[least].name}")
        else:
            words.append(f"{SPLIT_TITLES[split]}: no images")
    return "Largest to smallest class. " + " · ".join(words)


def resampling_table(before: Sequence[int], then: Resampled) -> pd.DataFrame:
    """What a resampling changes, class by class."""
    return pd.DataFrame(
        {
            "class": [emotion.title for emotion in EMOTIONS],
            "now": np.asarray(before),
            "then": then.drawn,
            "change": then.drawn - np.asarray(before),
            "share %": _percent(then.drawn),
            "times an image": then.repeats.round(2),
        }
    )


def _resampling(desk: Desk) -> None:
    """What an epoch would hold with fewer images, or with images drawn otherwise."""
    with st.grid(2, min_column_width=260):
        share = st.slider(
            "Share of the training images",
            5,
            100,
            100,
            5,
            format="%d %%",
            key="resampling_share",
            persist_state="session",
            help="Stratified: the classes keep their proportions.",
        )
        scheme = st.selectbox(
            "Resampling",
            list(_SCHEMES),
            format_func=_SCHEMES.__getitem__,
            key="resampling_scheme",
            persist_state="session",
        )
    before = desk.dataset.meta.counts[Split.TRAIN]
    now, then = (resample(before, *how) for how in ((1.0, Scheme.NONE), (share / 100, scheme)))
    with st.grid(4, min_column_width=140, gap="small"):
        for title, number in (("Images an epoch", then.total), ("Different images", then.distinct)):
            # Neither more nor less is good in itself.
            change = _change(number, now.total)
            st.metric(title, f"{number:,}", change, delta_color="off")
        st.metric("Largest to smallest", _ratio(then.imbalance_ratio))
        st.metric("Most often drawn", f"{then.repeats.max():.1f} ×")
    st.plotly_chart(
        charts.resampling(before, then.drawn.tolist()),
        config=CONFIG,
        key="resampling_chart",
        alt=resampling_text(before, then),
    )
    tables.plain_table(
        "Training images an epoch",
        resampling_table(before, then),
        f"{desk.dataset.name}-resampling",
        what="Epoch",
        digits={"times an image": 2},
    )
    st.caption(
        "An epoch takes time in proportion to its images. The share is “Share of the images” on "
        "the Train page, which draws each image once; “Class weights” do there, on average, what "
        "oversampling does, without a longer epoch."
    )


def resampling_text(before: Sequence[int], then: Resampled) -> str:
    """The chart in words, for those who cannot see it."""
    parts = (
        f"{emotion.title} {old:,} to {new:,}"
        for emotion, old, new in zip(EMOTIONS, before, then.drawn, strict=True)
    )
    return "Training images an epoch, now and then: " + ", ".join(parts)


def _change(value: int, base: int) -> str | None:
    return f"{value / base - 1:+.0%}" if base and value != base else None


def _ratio(value: float | None) -> str:
    return "a class is empty" if value is None else f"{value:.1f} to 1"


def _percent(counts: np.ndarray) -> np.ndarray:
    # Not rounded: the table rounds once.
    return 100 * counts / max(int(counts.sum()), 1)
