"""One image and the model's answer at large: why, what people say, what it learned from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from app import charts, face_charts, face_words, resources, views
from app.charts import SPLIT_TITLES
from app.dataset_page import desk as dataset_desk
from app.dataset_page import detail, gallery
from app.dataset_page.desk import load_desk, trouble
from app.dataset_page.gallery import Indices
from app.dataset_page.grid import Pages
from app.dataset_page.walk import Walk
from app.evaluation.desk import Desk
from pipeline.dataset import SPLITS, Dataset
from pipeline.dataset.embedding import nearest
from pipeline.dataset.ferplus import MAX_VOTES
from pipeline.evaluation.mistakes import PeopleSay, exact_twins, people_say
from pipeline.evaluation.neighbours import FeatureStore, nearest_training
from pipeline.labels import EMOTIONS
from pipeline.recognition.occlusion import occlusion_map

Float = npt.NDArray[np.float32]

_WALK = Walk("errors")
_NUM_NEIGHBOURS = 12
_SIDE = 240


def show(desk: Desk, index: int, among: Indices, pages: Pages) -> None:
    """Opens the large view of an image.

    Args:
        desk: What is on the page; it has a dataset.
        index: The image.
        among: The list that it is part of, to go on from image to image.
        pages: The grid that the list is shown in.
    """
    _WALK.start(index, among, pages)
    _dialog(desk)


def look_through(desk: Desk, among: Indices, pages: Pages) -> None:
    """Opens the large view of a list, not empty, where it was left last time."""
    show(desk, _WALK.resumed(among), among, pages)


def last() -> int | None:
    """The image of a list that was at large last."""
    return _WALK.last


# Outside, what was edited shows once the large view is closed.
@st.dialog("Image and answer", width="large", icon=":material/bug_report:", on_dismiss=_WALK.close)
def _dialog(desk: Desk) -> None:
    with views.guarded():
        if desk.dataset is None:
            return
        data = load_desk(desk.dataset.name)
        index = min(_WALK.index or 0, len(data.dataset) - 1)
        scores = _scores(desk, data.dataset, index)
        trouble()
        _WALK.steps(index)
        left, right = st.columns([2, 3], gap="medium")
        with left:
            detail.picture(data, index)
            detail.edits(data, index, suggested=int(scores.argmax()))
            st.caption(_facts(data.dataset, index))
        with right:
            _answer(desk, data, index, scores)
            _people(data, index, int(scores.argmax()))
        _why(desk, data.dataset, index)
        _twins(data, index)
        _neighbours(desk, data, index)


def people_words(say: PeopleSay | None, votes: npt.NDArray[np.uint8]) -> str:
    """What FER+ taggers say of an image on which label and model differ, as Markdown.

    Args:
        say: From `people_say`.
        votes: Shape `(10,)`.
    """
    cast = gallery.vote_words(votes)
    if say is None:
        return "No votes for this image."
    return {
        PeopleSay.SPLIT: f"**People split here too**: {cast}.",
        PeopleSay.LABEL: f"People agree with the label: {cast}.",
        PeopleSay.MODEL: f"**People say what the model says**, not what the label says: {cast}.",
        PeopleSay.OTHER: f"**People say something else**: {cast}.",
    }[say]


def _scores(desk: Desk, dataset: Dataset, index: int) -> Float:
    """The probabilities: those of the list, or else asked for now, as for a training face."""
    if desk.official is not None:
        place = int(np.searchsorted(desk.official.indices, index))
        if place < len(desk.official) and desk.official.indices[place] == index:
            return np.asarray(desk.official.probabilities[place])
    face = np.asarray(dataset.images[index : index + 1])
    return np.asarray(resources.classifier(desk.entry.folder).scores(face).probabilities[0])


def _facts(dataset: Dataset, index: int) -> str:
    split = SPLIT_TITLES[SPLITS[int(dataset.split_codes[index])]]
    return f"Image {index:,}, {split.lower()}; {views.plain(dataset.origin(index))}"


def _answer(desk: Desk, data: dataset_desk.Desk, index: int, scores: Float) -> None:
    label = EMOTIONS[int(data.dataset.labels[index])]
    top = EMOTIONS[int(scores.argmax())]
    st.markdown(
        f"Labelled **{label.title.lower()}**, looks **{top.adjective}** to the model, "
        f"{100 * float(scores.max()):.0f} %"
    )
    st.plotly_chart(
        face_charts.probability_bars(scores, unsure_below=desk.contract.unsure_below),
        config=charts.CONFIG,
        key="errors_scores",
        alt="Probabilities: " + face_charts.probability_text(scores),
    )


def _people(data: dataset_desk.Desk, index: int, predicted: int) -> None:
    votes = data.dataset.votes
    if votes is None:
        return
    say = people_say(votes[index], int(data.dataset.labels[index]), predicted)
    st.markdown(people_words(say, votes[index]))
    if say is not None:
        st.caption(f"How {MAX_VOTES} FER+ taggers voted:")
        detail.votes(data, index)


def _why(desk: Desk, dataset: Dataset, index: int) -> None:
    face = np.asarray(dataset.images[index])
    classifier = resources.classifier(desk.entry.folder)
    with st.spinner("Working out where the model looked"):
        explained = occlusion_map(classifier, face)
    seen = classifier.contract.preprocessing.apply(face[None])[0, ..., 0]
    drops = explained.drops
    text = face_words.occlusion_text(explained)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(face_charts.heat_overlay(seen, drops, _SIDE), width=_SIDE, alt=text)
        views.heading(
            "Where it looked",
            below=f"{text} After [Zeiler and Fergus, 2014](https://arxiv.org/abs/1311.2901).",
            level=3,
            width="stretch",
        )


def _twins(data: dataset_desk.Desk, index: int) -> None:
    twins = exact_twins(data.dataset, index)
    if not len(twins):
        return
    labels = np.append(data.dataset.labels[twins], data.dataset.labels[index])
    conflict = " under different labels" if len(np.unique(labels)) > 1 else ""
    st.warning(
        f"The very same picture is in the dataset {len(twins) + 1} times{conflict}.",
        icon=":material/content_copy:",
    )
    detail.strip(data, twins, "errors_twins", _notes(data.dataset, twins), walk=_WALK)


def _neighbours(desk: Desk, data: dataset_desk.Desk, index: int) -> None:
    dataset = data.dataset
    features = kept_features(desk, dataset)
    if features is None:
        with st.spinner("Looking for similar training images"):
            others, scores = nearest(dataset, index, 4 * _NUM_NEIGHBOURS)
        in_training = dataset.split_codes[others] == 0
        others, scores = others[in_training][:_NUM_NEIGHBOURS], scores[in_training]
        title, measure = "Nearest training faces by their pixels", "correlation"
    else:
        with st.spinner("Looking for similar training images"):
            query = resources.embedding(desk.entry.folder).features(
                np.asarray(dataset.images[index : index + 1])
            )[0]
        others, scores = nearest_training(dataset, features, index, query, _NUM_NEIGHBOURS)
        title, measure = "Nearest training faces to the network", "cosine of its features"
    if len(others):
        views.heading(title, f", with the {measure}", level=3)
        notes = _notes(dataset, others, [f"{score:.2f}" for score in scores])
        detail.strip(data, others, "errors_nearest", notes, walk=_WALK)


def _notes(dataset: Dataset, indices: Indices, more: list[str] | None = None) -> list[str]:
    """The labels of images, and a word more for each."""
    titles = [EMOTIONS[int(dataset.labels[index])].title for index in indices]
    return (
        [f"{title} {word}" for title, word in zip(titles, more, strict=False)] if more else titles
    )


def kept_features(desk: Desk, dataset: Dataset) -> Float | None:
    """What the model sees in the training faces, if that is known.

    Raises:
        OSError: If the model cannot be read.
    """
    path = FeatureStore(resources.home().cache).path(desk.entry.folder, dataset)
    try:
        stamp = path.stat().st_ino
    except OSError:
        return None
    return _loaded(path, stamp, desk.entry.folder, dataset.name)


@lru_cache(maxsize=1)
def _loaded(path: Path, stamp: int, model: Path, name: str) -> Float | None:
    return FeatureStore(path.parent.parent).load(model, resources.dataset(name))
