"""The faces of a photo: to choose from, and what is said of one, with the reasons."""

from __future__ import annotations

import streamlit as st

from app import face_charts, face_words, views
from app.charts import CONFIG
from app.photo.desk import PhotoResult, captions, explain
from app.photo.session import photos
from pipeline.recognition.quality import QualityFlag
from pipeline.recognition.recognizer import Recognizer

_SIDE = 288
_MANY = 12
_WARNINGS = {
    QualityFlag.TOO_SMALL: "The face is small: it has fewer pixels than the network knows.",
    QualityFlag.BLURRED: "The face is blurred.",
    QualityFlag.DARK: "The face is dark.",
    QualityFlag.OVEREXPOSED: "The face is overexposed: parts of it are burnt white.",
    QualityFlag.TURNED: "The face is turned away or tilted.",
}


def gallery(result: PhotoResult, chosen: int) -> None:
    """The faces of a group photo, to choose the one to look at."""
    if len(result.faces) < 2:
        return
    desk = photos()
    texts = captions(result.predictions)
    with (
        views.shelf(len(result.faces) > _MANY, height=380, key="face_gallery"),
        st.grid("auto", min_column_width=136, gap="small"),
    ):
        for index, (face, text) in enumerate(zip(result.faces, texts, strict=True)):
            with st.container(gap="xxsmall"):
                st.image(face, width="stretch", alt=f"Face {text}")
                st.button(
                    text,
                    key=f"face_{index}",
                    icon=views.chosen_icon(index == chosen),
                    width="stretch",
                    on_click=desk.choose_face,
                    args=(result.photo.id, index),
                )


def scores(result: PhotoResult, index: int) -> None:
    """What is said of one face, what to doubt about it, and all seven probabilities."""
    prediction = result.predictions[index]
    if len(result.predictions) > 1:
        st.caption(f"Face {index + 1} of {len(result.predictions)}")
    st.header(face_words.phrase(prediction), anchor=False)
    if prediction.unsure:
        own, least = prediction.confidence, prediction.unsure_below
        digits = 0 if round(100 * own) < round(100 * least) else 2
        st.caption(
            f"{prediction.emotion.title} comes first, but its {views.percent(own, digits)} are "
            f"below the threshold of {views.percent(least, digits)}, the dotted line."
        )
    st.plotly_chart(
        face_charts.probability_bars(
            prediction.probabilities, unsure_below=prediction.unsure_below
        ),
        config=CONFIG,
        key="face_scores",
        alt="Probabilities: " + face_charts.probability_text(prediction.probabilities),
    )
    if prediction.quality:
        lines = "\n".join(f"- {_WARNINGS[flag]}" for flag in prediction.quality)
        st.warning(f"Take the scores with care:\n{lines}", icon=":material/warning:")


def reasons(result: PhotoResult, index: int, recognizer: Recognizer) -> None:
    """What the network saw, where it looked, and where the answer lies among the emotions."""
    prediction = result.predictions[index]
    with st.spinner("Working out why"):
        explained = explain(result, index, recognizer)
    preprocessing = recognizer.classifier.contract.preprocessing
    seen = preprocessing.apply(prediction.crop[None])[0, ..., 0]
    with st.grid(3, min_column_width=230, gap="small", key="face_reasons"):
        with views.card("What the network saw", "grid_on"):
            st.image(
                face_charts.enlarged(seen, _SIDE), width=_SIDE, alt="The face as the network saw it"
            )
            st.caption(
                f"Exactly this: {preprocessing.size} × {preprocessing.size} grey pixels"
                + (", contrast evened out (CLAHE)." if preprocessing.clahe else ".")
            )
        with views.card("Where it looked", "visibility"):
            st.image(
                face_charts.heat_overlay(seen, explained.drops, _SIDE),
                width=_SIDE,
                alt=face_words.occlusion_text(explained),
            )
            st.caption(
                face_words.occlusion_text(explained)
                + " After [Zeiler and Fergus, 2014](https://arxiv.org/abs/1311.2901)."
            )
        with views.card("Valence and arousal", "explore"):
            st.plotly_chart(
                face_charts.affect_plane(prediction.valence, prediction.arousal),
                config=CONFIG,
                key="face_affect",
                alt=f"Valence {prediction.valence:.2f}, arousal {prediction.arousal:.2f}",
            )
            place = f"Valence {prediction.valence:+.2f}, arousal {prediction.arousal:+.2f}"
            st.caption(
                f"{place.replace('-', '−')}: the mean "
                "of the emotions' customary places, weighted by the seven probabilities. Derived "
                "from them, not measured in the face."
            )
