"""The settings of recognition, the same for photo, video and live.

What is chosen here is written to the home at once and read from there, so every
page, tab and later session sees the same.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import streamlit as st

from app import active_model, resources, views
from app.recognition import (
    MOST_SMOOTHING,
    RecognitionSettings,
    change_settings,
    load_settings,
)
from pipeline.errors import ModelLoadError
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract
from pipeline.recognition.detectors import DETECTORS, kind

_KEY = "recognition"


def popover(*, smoothing: bool = False) -> RecognitionSettings:
    """A button that opens the settings.

    Args:
        smoothing: Whether the page shows faces over time, so that smoothing is
            offered too.

    Returns:
        What is chosen now.
    """
    settings = load_settings(resources.home())
    with st.popover("Settings", icon=":material/tune:", key=f"{_KEY}_settings"):
        contract = _model()
        _detector(settings)
        if contract is not None:
            _unsure(settings, contract)
        if smoothing:
            _smoothing(settings)
        st.button(
            "Back to the defaults",
            key=f"{_KEY}_reset",
            type="tertiary",
            icon=":material/restart_alt:",
            disabled=settings == RecognitionSettings(),
            on_click=_change,
            kwargs=asdict(RecognitionSettings()),
        )
    return settings


def synthetic_warning() -> None:
    """Says so, plainly, if the active model learned from drawn faces only."""
    entry = resources.models().active()
    if entry is not None and entry.contract().synthetic:
        st.warning(
            f"The model {views.plain(entry.name)} has seen drawn faces only. What it says about "
            "photographed people means nothing: use it to try the program, and train one on real "
            "faces for results.",
            icon=":material/draw:",
        )


def _model() -> ModelContract | None:
    """The choice of the model, which is one of the whole home; gives the active one's contract."""
    active = resources.models().active()
    if active is None:
        st.caption("No model yet: the overview says how to get one.")
        return None
    contracts = _usable(active)
    st.session_state[f"{_KEY}_model"] = active.reference
    st.selectbox(
        "Model",
        list(contracts),
        key=f"{_KEY}_model",
        format_func=lambda name: (
            PurePath(name).name + (" · drawn faces" if contracts[name].synthetic else "")
        ),
        help="The one that the whole dashboard and its JSON interface serve.",
        on_change=_model_chosen,
    )
    return contracts[active.reference]


def _usable(active: ModelEntry) -> dict[str, ModelContract]:
    """The models that can be chosen, by reference; the active one may lie anywhere."""
    entries = {entry.reference: entry for entry in [*resources.models().list(), active]}
    contracts = {}
    for name, entry in entries.items():
        try:
            contracts[name] = entry.contract()
        except ModelLoadError:
            continue  # the overview names it; here it could only be chosen in vain
    return contracts


def _model_chosen() -> None:
    with views.guarded():
        active_model.choose(st.session_state[f"{_KEY}_model"])


def _detector(settings: RecognitionSettings) -> None:
    st.session_state[f"{_KEY}_detector"] = settings.detector
    st.selectbox(
        "Face detector",
        DETECTORS,
        key=f"{_KEY}_detector",
        format_func=lambda name: kind(name).title,
        on_change=_detector_chosen,
    )
    own = kind(settings.detector).threshold
    if own is not None:
        threshold = own if settings.detection_threshold is None else settings.detection_threshold
        _slider(
            "Least confidence that it is a face",
            "detection_threshold",
            round(100 * threshold),
            bounds=(5, 95, 1),
            unit="%",
            help="Lower finds more faces, and more that are none.",
        )


def _detector_chosen() -> None:
    # Detectors are sure in different ways: a threshold for one is wrong for another.
    chosen = st.session_state[f"{_KEY}_detector"]
    _change(detector=chosen, detection_threshold=None)


def _unsure(settings: RecognitionSettings, contract: ModelContract) -> None:
    own = contract.unsure_below
    threshold = own if settings.unsure_below is None else settings.unsure_below
    _slider(
        "Say “unsure” below",
        "unsure_below",
        round(100 * threshold),
        bounds=(0, 95, 1),
        unit="%",
        help=f"Of the first emotion's probability. The model's own threshold is {100 * own:.0f} %.",
    )
    if contract.trade_off:
        point = min(contract.trade_off, key=lambda point: abs(point.threshold - threshold))
        share = f"{100 * point.coverage:.0f} %"
        right = "" if point.accuracy is None else f", {100 * point.accuracy:.0f} % of them right"
        st.caption(f"Of validation faces, about {share} then get an answer{right}.")


def _smoothing(settings: RecognitionSettings) -> None:
    _slider(
        "Smoothing over time",
        "smoothing",
        settings.smoothing,
        bounds=(0.0, MOST_SMOOTHING, 0.1),
        unit="s",
        help="More is calmer, and later to notice a change; 0 shows each frame by itself.",
    )


def _slider(
    label: str, name: str, value: float, *, bounds: tuple[float, float, float], unit: str, help: str
) -> None:
    """A slider over one field of the settings; per cent stand for shares."""
    key = f"{_KEY}_{name}"
    low, high, step = bounds
    st.session_state[key] = min(max(value, low), high)
    st.slider(
        label,
        low,
        high,
        step=step,
        key=key,
        format="%d %%" if unit == "%" else "%.1f s",
        help=help,
        on_change=_slid,
        args=(name, 100 if unit == "%" else 1),
    )


def _slid(name: str, divisor: int) -> None:
    _change(**{name: st.session_state[f"{_KEY}_{name}"] / divisor})


def _change(**changes: Any) -> None:
    change_settings(resources.home(), **changes)
