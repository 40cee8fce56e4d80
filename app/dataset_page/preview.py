"""Previews: what augmentation and preprocessing, as training runs them, do to a face."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from app import views
from app.charts import CONFIG
from app.dataset_page import charts
from app.dataset_page.desk import Desk
from app.faces import montage
from app.training import fields
from pipeline.labels import EMOTIONS
from pipeline.preprocessing import Preprocessing
from pipeline.training.augmentation import augment
from pipeline.training.config import TrainingConfig, settings

Picture = npt.NDArray[np.uint8]

NUM_VERSIONS = 16
_STEPS = 100
# They join two images of a batch: there is nothing of it to see on one face.
_OF_A_PAIR = ("mixup", "cutmix")
_INDEX = "preview_index"


def tab(desk: Desk) -> None:
    """Both previews, of one face."""
    index = _face(len(desk.dataset))
    face = np.asarray(desk.dataset.images[index])
    name = EMOTIONS[int(desk.dataset.labels[index])].name
    _augmentation(face, name)
    views.heading("Preprocessing")
    st.caption("What a network is given. The range stays 0 to 255: each network normalises itself.")
    with st.grid(4, min_column_width=140, gap="small"):
        for title, preprocessing in (
            ("Raw", None),
            ("CLAHE", Preprocessing(clahe=True)),
            ("Resized to 96", Preprocessing(size=96)),
            ("CLAHE, resized to 96", Preprocessing(size=96, clahe=True)),
        ):
            picture = face if preprocessing is None else preprocessing.apply(face[None])[0, ..., 0]
            _step(title, picture)


def augmentation_names() -> list[str]:
    """The settings of `TrainingConfig` that change a single image."""
    return [
        name
        for name, setting in settings().items()
        if setting.group == "augmentation" and name not in _OF_A_PAIR
    ]


def versions(face: Picture, config: TrainingConfig, seed: int) -> Picture:
    """What augmentation makes of a face, laid out in one picture.

    Args:
        face: `uint8` grey, shape `(height, width)`.
        config: As for a training.
        seed: Equal seeds give equal pictures.

    Returns:
        Sixteen versions in four rows.
    """
    prepared = config.preprocessing.apply(face[None])
    batch = np.repeat(prepared, NUM_VERSIONS, axis=0)
    varied = augment(batch, config, np.random.default_rng(seed)).round().astype(np.uint8)
    return montage(varied[..., 0], columns=4)


def _face(number: int) -> int:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state[_INDEX] = min(st.session_state.get(_INDEX, 0), number - 1)
        index = st.number_input("Image by index", 0, number - 1, key=_INDEX, width=160)
        st.button(
            "Another face",
            key="preview_another",
            icon=":material/casino:",
            on_click=_another,
            args=(number,),
        )
    return int(index)


def _another(number: int) -> None:
    st.session_state[_INDEX] = int(np.random.default_rng().integers(number))


def _augmentation(face: Picture, name: str) -> None:
    views.heading("Augmentation")
    sliders, pictures = st.columns([2, 3], gap="medium")
    with sliders:
        config = TrainingConfig(**{key: _setting(key) for key in augmentation_names()})
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, key="preview_seed", persist_state="session", width=160
        )
    with pictures:
        st.markdown(":small[The image, and sixteen versions of it]")
        st.image(face, width=120, alt=f"A face labelled {name}")
        st.image(
            versions(face, config, int(seed)),
            width="stretch",
            alt=f"Sixteen augmented versions of a face labelled {name}",
        )


def _setting(name: str) -> Any:
    """The widget of a setting, with its own range, default and help."""
    setting = settings()[name]
    default = getattr(TrainingConfig(), name)
    title, key = fields.title(name), f"preview_{name}"
    if isinstance(default, bool):
        return st.toggle(title, default, key=key, help=setting.help, persist_state="session")
    low, high = float(setting.low or 0), float(setting.high or 1)
    return st.slider(
        title,
        min_value=low,
        max_value=high,
        value=float(default),
        step=(high - low) / _STEPS,
        key=key,
        help=setting.help,
        persist_state="session",
    )


def _step(title: str, picture: Picture) -> None:
    height, width = picture.shape
    with st.container(gap="xsmall"):
        st.markdown(f":small[**{title}** :gray[{width} × {height}]]")
        st.image(picture, width="stretch", alt=f"{title}, {width} by {height} pixels")
        st.plotly_chart(
            charts.histogram(picture),
            config=CONFIG,
            key=f"preview_histogram_{title}",
            alt=f"Grey values of the face: {title}",
        )
