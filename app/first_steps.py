"""What can be done now, one click each: on the overview, until each was done once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from app import get_data, get_model, resources, state, views
from app.charts import SPLIT_TITLES
from app.photo.session import photos
from pipeline.dataset import Split
from pipeline.errors import ConfigError, PipelineError
from pipeline.evaluation.report import EvaluationReport
from pipeline.evaluation.stored import headline_report
from pipeline.recognition.catalog import ModelEntry

_HIDDEN = "hidden"


@dataclass(frozen=True)
class _Step:
    """One click.

    Attributes:
        key: What it is remembered by once it was taken.
        label: Of the button.
        icon: Name of a Material symbol.
        go: Begins it and turns to its page.
    """

    key: str
    label: str
    icon: str
    go: Callable[[], None]


@dataclass(frozen=True)
class _Card:
    """Steps that belong together, and in a line what they are for."""

    title: str
    icon: str
    text: str
    steps: tuple[_Step, ...] = ()


def view(*, has_dataset: bool) -> None:
    """The steps that were not taken yet: cards for a newcomer, one line for whoever has begun.

    Args:
        has_dataset: Whether there are faces to train on.
    """
    taken = set(state.load_preferences(resources.home()).first_steps)
    if _HIDDEN in taken:
        return
    has_runs = bool(resources.runs().list())
    if has_dataset:
        taken.add("explore")
    if has_runs:
        taken.add("train")
    if photos().photos:
        taken.add("photo")
    cards = _cards(resources.models().active())
    left = [step for card in cards for step in card.steps if step.key not in taken]
    if not left:
        return
    if has_dataset or has_runs:
        _line(left)
    else:
        _grid(cards, left)


def _cards(entry: ModelEntry | None) -> list[_Card]:
    begin = _Card(
        "Explore faces, train a network",
        "model_training",
        "FER Lab draws 1,400 faces in seconds and trains a network on them in about two minutes.",
        (
            _Step("explore", "Explore the demo faces", "draw", _explore),
            _Step("train", "Train for two minutes", "play_arrow", _train),
        ),
    )
    if entry is None:
        text = (
            "Photos, the webcam and the confusion matrix need a model, and none came with this "
            "copy. Train one, import a run on the Runs page, or put a model into `models/`."
        )
        return [begin, _Card("Then try it on faces, and see where it fails", "add_a_photo", text)]
    tried = _Card(
        "Try a model on faces",
        "add_a_photo",
        f"The model {views.plain(entry.name)} is ready: see how a face looks to it.",
        (
            _Step("photo", "Recognise an example", "person", _photo),
            _Step("live", "Open the webcam", "videocam", _live),
        ),
    )
    report = _report(entry)
    if report is None:
        return [tried, begin]
    fails = _Card(
        "See where it fails",
        "grid_on",
        f"It is right on {views.percent(report.accuracy)} of {report.num_samples:,} "
        f"{SPLIT_TITLES[Split(report.split)].lower()} images. What does it take for what?",
        (_Step("confusion", "Confusion matrix", "grid_on", partial(_confusion, entry.reference)),),
    )
    return [tried, fails, begin]


def _report(entry: ModelEntry) -> EvaluationReport | None:
    try:
        return headline_report(entry.folder)
    except PipelineError:
        return None  # the model's card says that it is damaged


def _grid(cards: list[_Card], left: list[_Step]) -> None:
    shown = [card for card in cards if not card.steps or any(step in left for step in card.steps)]
    with st.container(horizontal=True, vertical_alignment="center"):
        views.heading("What you can do now", width="stretch")
        _hide()
    with st.grid(len(shown), min_column_width=240, gap="small", key="first_steps"):
        for card in shown:
            with st.container(border=True, height="stretch", gap="xsmall"):
                views.heading(card.title, icon=card.icon, level=3)
                st.caption(card.text)
                st.space("stretch")
                for step in card.steps:
                    if step in left:
                        _button(step, is_first=step is left[0])


def _line(left: list[_Step]) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", border=True, key="first_steps"
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            views.heading("Not tried yet", width="content")
            for step in left:
                _button(step, width="content")
        _hide()


def _button(step: _Step, *, is_first: bool = False, width: str = "stretch") -> None:
    if st.button(
        step.label,
        key=f"first_{step.key}",
        type="primary" if is_first else "secondary",
        icon=f":material/{step.icon}:",
        width=width,  # type: ignore[arg-type]
    ):
        with views.guarded():
            step.go()


def _hide() -> None:
    st.button(
        "Hide",
        key="first_hide",
        type="tertiary",
        icon=":material/close:",
        help="These steps do not come back.",
        on_click=_remember,
        args=(_HIDDEN,),
    )


def _remember(key: str) -> None:
    # A step that could not be noted is offered again, which harms nobody.
    with suppress(OSError, ConfigError):
        state.update(
            resources.home(), lambda old: replace(old, first_steps=[*old.first_steps, key])
        )


def _photo() -> None:
    from app.photo import view  # with its charts, not before they are wanted

    with st.spinner("Opening the example"):
        view.add_example()
    _remember("photo")
    st.switch_page("pages/photo.py")


def _live() -> None:
    _remember("live")
    st.switch_page("pages/live.py")


def _confusion(reference: str) -> None:
    from app.evaluation import page  # likewise

    page.show_confusion()
    _remember("confusion")
    st.switch_page("pages/evaluation.py", query_params={"model": reference})


def _explore() -> None:
    get_data.begin_demo()
    st.switch_page("pages/dataset.py")


def _train() -> None:
    get_model.train_quickly()
    st.switch_page("pages/train.py")
