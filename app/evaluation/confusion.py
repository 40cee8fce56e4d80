"""Confusion: what is taken for what, and the images behind each cell."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import tables, views
from app.charts import CONFIG
from app.dataset_page.gallery import Indices
from app.evaluation import charts, images
from app.evaluation.desk import Desk, not_scored
from pipeline.evaluation import Predictions
from pipeline.evaluation.confusion import MixUp, Order, Shares, class_order, mix_ups, shares
from pipeline.labels import EMOTIONS

_TRUE, _PREDICTED = "confusion_true", "confusion_predicted"
_COUNTS = "Images"
_NUMBERS = {_COUNTS: None, "% of true": Shares.TRUE, "% of predicted": Shares.PREDICTED}
_ORDERS = {
    Order.LABELS: "As in FER-2013",
    Order.SIMILAR: "Mixed-up side by side",
    Order.RECALL: "Best found first",
}


def tab(desk: Desk) -> None:
    """The matrix, the images of the chosen cell, and the pairs that are mixed up most."""
    if desk.report is None:
        not_scored(desk, "The confusions")
        return
    matrix = np.array(desk.report.confusion_matrix)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        numbers = st.segmented_control(
            "Numbers",
            list(_NUMBERS),
            default="% of true",
            required=True,
            key="confusion_numbers",
            persist_state="session",
        )
        order = st.segmented_control(
            "Order of the classes",
            list(_ORDERS),
            default=Order.LABELS,
            required=True,
            key="confusion_order",
            persist_state="session",
            format_func=_ORDERS.__getitem__,
        )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _matrix(desk, matrix, str(numbers), Order(order))
    with right:
        _pairs(desk, matrix)
    if desk.dataset is not None:
        _cell(desk, matrix)


def cell_places(found: Predictions, label: int, predicted: int) -> Indices:
    """The places of a cell's images in the predictions, the most confident first."""
    places = np.flatnonzero((found.labels == label) & (found.predicted == predicted))
    return places[np.argsort(-found.confidence[places], kind="stable")]


def matrix_table(matrix: np.ndarray) -> pd.DataFrame:
    """The confusion matrix in images, a row for each true class."""
    table = pd.DataFrame(matrix, columns=charts.TITLES)
    table.insert(0, "true", charts.TITLES)
    return table


def image_table(desk: Desk, places: Indices) -> pd.DataFrame:
    """Images with their seven probabilities, a row each."""
    found, dataset = desk.predictions, desk.dataset
    if found is None or dataset is None:
        return pd.DataFrame()
    names = [emotion.name for emotion in EMOTIONS]
    table = pd.DataFrame(found.probabilities[places], columns=names)
    indices = found.indices[places]
    table.insert(0, "predicted", [names[label] for label in found.predicted[places]])
    table.insert(0, "label", [names[label] for label in found.labels[places]])
    table.insert(0, "origin", [dataset.origin(int(index)) for index in indices])
    table.insert(0, "index", indices)
    return table


def pair_words(pair: MixUp) -> str:
    """A pair of classes in words, as Markdown."""
    first, second = EMOTIONS[pair.first].title, EMOTIONS[pair.second].title
    if not pair.is_mutual:
        return (
            f"**{first} → {second}**: {pair.forward:,} of the {first.lower()} images "
            f"({views.percent(pair.forward_share)}) are called {second.lower()}; {pair.back:,} the "
            "other way round"
        )
    return (
        f"**{first} ↔ {second}**: {pair.forward:,} of the {first.lower()} images "
        f"({views.percent(pair.forward_share)}) are called {second.lower()}; {pair.back:,} "
        f"({views.percent(pair.back_share)}) the other way round"
    )


def _matrix(desk: Desk, matrix: np.ndarray, numbers: str, order: Order) -> None:
    of = _NUMBERS[numbers]
    key = f"confusion_{order.value}"
    st.plotly_chart(
        charts.confusion(
            matrix,
            None if of is None else shares(matrix, of),
            class_order(matrix, order),
            chosen=_chosen(),
        ),
        config=CONFIG,
        key=key,
        on_select=partial(_clicked, key),
        selection_mode="points",
        alt="How often each true class is called which. "
        + "; ".join(pair_words(pair).replace("**", "") for pair in mix_ups(matrix)),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Choose a cell to see its images."
            if desk.dataset is not None
            else "Stored figures: the images behind the cells show once the dataset is imported, "
            "on the overview, and chosen above.",
            width="stretch",
        )
        tables.download(
            partial(matrix_table, matrix), f"{desk.slug}-confusion", label="Matrix as CSV"
        )


def _chosen() -> tuple[int, int] | None:
    label, predicted = st.session_state.get(_TRUE), st.session_state.get(_PREDICTED)
    return None if label is None or predicted is None else (label, predicted)


def _clicked(key: str) -> None:
    cell = clicked_cell(st.session_state[key])
    if cell is not None:
        st.session_state[_TRUE], st.session_state[_PREDICTED] = cell


def clicked_cell(event: Any) -> tuple[int, int] | None:
    """The true and the predicted class of the cell that was clicked on, if one was."""
    for point in event["selection"]["points"]:
        label, predicted, *_ = point["customdata"]
        return int(label), int(predicted)
    return None


def _pairs(desk: Desk, matrix: np.ndarray) -> None:
    views.heading("Mixed up most")
    pairs = mix_ups(matrix)
    if not pairs:
        st.caption("No image of this split is taken for another class.")
    for pair in pairs:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(pair_words(pair), width="stretch")
            for label, predicted in ((pair.first, pair.second), (pair.second, pair.first)):
                if matrix[label, predicted] and desk.dataset is not None:
                    st.button(
                        f"{EMOTIONS[label].title} → {EMOTIONS[predicted].title}",
                        key=f"pair_{label}_{predicted}",
                        icon=":material/grid_view:",
                        on_click=_choose,
                        args=(label, predicted),
                        help="Its images, below",
                    )


def _choose(label: int, predicted: int) -> None:
    st.session_state[_TRUE], st.session_state[_PREDICTED] = label, predicted


def _cell(desk: Desk, matrix: np.ndarray) -> None:
    views.heading("The images of a cell")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for title, key in (("True", _TRUE), ("Predicted", _PREDICTED)):
            st.selectbox(
                title,
                range(len(EMOTIONS)),
                index=None,
                placeholder="Choose",
                key=key,
                format_func=lambda label: EMOTIONS[label].title,
                width=180,
                persist_state="session",
            )
        chosen = _chosen()
        if chosen is not None and desk.predictions is not None:
            places = cell_places(desk.predictions, *chosen)
            name = "-".join([desk.slug, *(EMOTIONS[label].name for label in chosen)])
            tables.download(partial(image_table, desk, places), name, label="List as CSV")
    if chosen is None:
        st.caption("Choose a cell in the matrix, a pair beside it, or two classes here.")
    elif desk.predictions is None:
        not_scored(desk, "The images of this cell")
    else:
        label, predicted = chosen
        number = int(matrix[label, predicted])
        whole = max(int(matrix[label].sum()), 1)
        st.markdown(
            f"**{number:,}** {EMOTIONS[label].title.lower()} images "
            f"({views.percent(number / whole)} of them) are called "
            f"{EMOTIONS[predicted].title.lower()}; the most confident first, below each its "
            "probability."
        )
        images.show(desk, places, key="confusion")
