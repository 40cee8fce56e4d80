"""The images on which one of two models is right and the other wrong."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st

from app import views
from app.charts import CONFIG
from app.compare import charts
from app.compare.desk import Answers
from app.dataset_page import gallery, grid
from app.dataset_page.grid import Pages
from app.dataset_page.look import LEGEND
from app.dataset_page.walk import Walk
from pipeline.dataset.overlay import Overlay
from pipeline.evaluation.comparison import flips
from pipeline.evaluation.predictions import Predictions
from pipeline.labels import EMOTIONS

_WALK = Walk("flips")
_PAGE = 48
_LARGE = 336
_ALL = "All classes"


@st.fragment
def view(answers: Answers) -> None:
    """The chooser of a pair and a direction, and the images with both answers."""
    found = answers.comparison
    others = [pair.other for pair in found.pairs]
    views.heading("Images that flipped")
    with st.container(horizontal=True, vertical_alignment="top"):
        other = others[0]
        if len(others) > 1:
            if st.session_state.get("compare_other") not in others:
                st.session_state["compare_other"] = other
            other = st.selectbox(
                "Model", others, key="compare_other", width=240, persist_state="session"
            )
        first, second = answers.predictions[found.baseline], answers.predictions[other]
        flipped = flips(first, second)
        parts = {"Fixed": flipped.fixed, "Broken": flipped.broken}
        part = st.segmented_control(
            "Change",
            list(parts),
            default="Fixed",
            required=True,
            key="compare_flip",
            persist_state="session",
            format_func=lambda name: f"{name}: {len(parts[name]):,}",
            help=f"Fixed: wrong by {found.baseline}, right by {other}. Broken: the other way.",
        )
        label = st.selectbox(
            "Class",
            [None, *range(len(EMOTIONS))],
            key="compare_flip_class",
            persist_state="session",
            format_func=lambda code: _ALL if code is None else EMOTIONS[code].title,
            width=180,
        )
    places = parts[part or "Fixed"]
    if label is not None:
        places = places[first.labels[places] == label]
    _images(answers, other, places, f"{other}_{part}_{label}")


def caption(first: Predictions, second: Predictions, place: int) -> str:
    """Both answers to one image, as short as they fit below it: `sad → fear`."""
    return " → ".join(EMOTIONS[int(item.predicted[place])].name for item in (first, second))


def _images(answers: Answers, other: str, places: npt.NDArray[np.intp], key: str) -> None:
    if not len(places):
        st.info("No image flipped this way.", icon=":material/check:")
        return
    baseline, dataset = answers.comparison.baseline, answers.question.dataset
    first, second = answers.predictions[baseline], answers.predictions[other]
    st.markdown(
        f"Below each: the answer of **{views.plain(baseline)}** → that of "
        f"**{views.plain(other)}**; the line has the colour of the label. The greatest change of "
        f"probability comes first.  \n{LEGEND}"
    )
    pages = Pages(f"compare_page_{key}", _PAGE)
    shown = places[pages.shown(len(places))]
    sheet = gallery.sheet(
        dataset,
        first.indices[shown],
        Overlay(dataset.meta.fingerprint),
        [caption(first, second, place) for place in shown.tolist()],
    )
    chosen = grid.faces(sheet, key="compare_faces", cell=104, current=_WALK.last)
    if chosen is not None:
        _WALK.start(chosen, first.indices[places], pages)
        _dialog(answers, other)


# Outside, the image that was looked at last is marked once the large view is closed.
@st.dialog("Two answers", width="large", icon=":material/compare:", on_dismiss=_WALK.close)
def _dialog(answers: Answers, other: str) -> None:
    baseline, dataset = answers.comparison.baseline, answers.question.dataset
    first, second = answers.predictions[baseline], answers.predictions[other]
    index = _WALK.index or 0
    place = int(np.searchsorted(first.indices, index))
    label = EMOTIONS[int(first.labels[place])]
    _WALK.steps(index)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        picture = np.asarray(dataset.images[index])
        height = round(_LARGE * picture.shape[0] / picture.shape[1])
        st.image(
            cv2.resize(picture, (_LARGE, height), interpolation=cv2.INTER_NEAREST),
            width="stretch",
            alt=f"Image {index} labelled {label.name}",
        )
        st.markdown(f"Label: **{label.title}**  \n:small[:gray[Image {index:,}]]")
    with right:
        st.plotly_chart(
            charts.two_answers(_bars(answers, (baseline, other), place), label.title),
            config=CONFIG,
            key="compare_two_answers",
            alt=f"{baseline} and {other}: {caption(first, second, place)}",
        )
        for name, item in ((baseline, first), (other, second)):
            answer = EMOTIONS[int(item.predicted[place])].adjective
            st.markdown(
                f"**{views.plain(name)}**: looks {answer}, "
                f"{100 * float(item.confidence[place]):.0f} %"
            )


def _bars(answers: Answers, names: Sequence[str], place: int) -> list[tuple[str, str, list[float]]]:
    return [
        (name, answers.subject(name).color, answers.predictions[name].probabilities[place].tolist())
        for name in names
    ]
