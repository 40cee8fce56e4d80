"""The widgets of a training: one for each setting, in its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app import resources, state, views
from app.training import draft, edits, fields
from pipeline.dataset import DatasetMeta
from pipeline.dataset.overlay import NO_EDITS
from pipeline.errors import PipelineError
from pipeline.training import architectures
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.presets import PRESETS, matching
from pipeline.training.relevance import checked, effective, without_effect

_KEY = "train"
TAB = f"{_KEY}_tab"
"""The key of the tabs, of which each holds a group of settings."""


@dataclass(frozen=True)
class Request:
    """What the form asks for.

    Attributes:
        dataset: The dataset's name.
        meta: What is known of it.
        config: The training; `None` if the settings contradict.
        problem: Why there is no configuration; it names settings by their titles.
        edits: Which edits of the dataset: `none`, `latest` or a version.
        stands_in: Whether the dataset takes the place of a chosen one that is gone.
    """

    dataset: str
    meta: DatasetMeta
    config: TrainingConfig | None
    problem: PipelineError | None
    edits: str
    stands_in: bool


@dataclass(frozen=True)
class _Form:
    """What the groups of widgets show; `gone` is a chosen dataset that is not there any more."""

    datasets: list[str]
    dataset: str
    meta: DatasetMeta
    values: dict[str, Any]
    edits: edits.Choice
    gone: str | None

    @property
    def has_votes(self) -> bool:
        return self.meta.votes_source is not None


def view(names: list[str]) -> Request:
    """Draws the form, of which only the open group is there.

    Args:
        names: The datasets that there are, at least one.
    """
    current = draft.load(resources.home())
    active = state.active_dataset(resources.home(), resources.datasets())
    dataset = current.dataset if current.dataset in names else active or names[0]
    meta = resources.datasets().meta(dataset)
    gone = None if current.dataset == dataset else current.dataset
    if gone is not None:
        st.warning(
            f"The dataset “{views.plain(gone)}” is not there any more: "
            f"“{views.plain(dataset)}” is taken instead.",
            icon=":material/database_off:",
        )
    # Another dataset than the draft's has other edits.
    choice = edits.find(dataset, current.edits if current.dataset == dataset else NO_EDITS)
    form = _Form(names, dataset, meta, current.values, choice, gone)
    request = _request(form)
    _presets(request.config, has_votes=form.has_votes)
    groups = {
        name.capitalize(): partial(_group, name, members)
        for name, members in fields.groups().items()
    }
    views.tabs(groups, form, key=TAB)
    return request


def _group(name: str, members: Sequence[str], form: _Form) -> None:
    if name == "data":
        _dataset(form)
        edits.view(form.edits)
    if name == "network":
        _architecture(form.values["architecture"])
    with st.grid(3, min_column_width=190, gap="small"):
        for member in members:
            if member != "architecture":
                _widget(member, form.values, has_votes=form.has_votes)


def _request(form: _Form) -> Request:
    values = effective(form.values, has_votes=form.has_votes)
    problem, config = None, None
    try:
        config = checked(values)
    except PipelineError as error:
        problem = fields.in_words(error)
    chosen = form.edits.chosen
    return Request(form.dataset, form.meta, config, problem, chosen, form.gone is not None)


def _presets(config: TrainingConfig | None, *, has_votes: bool) -> None:
    by_name = {preset.name: preset for preset in PRESETS}
    known = matching(config, has_votes=has_votes) if config is not None else None
    st.session_state[f"{_KEY}_preset"] = known.name if known else None
    # Not segments: these would break in two rows where it is narrow.
    st.pills(
        "Recipe",
        list(by_name),
        key=f"{_KEY}_preset",
        format_func=lambda name: by_name[name].title,
        on_change=_preset_chosen,
        wrap=True,
    )
    st.caption(known.summary if known else "Your own settings.")


def _preset_chosen() -> None:
    chosen = st.session_state[f"{_KEY}_preset"]
    for preset in PRESETS:
        if preset.name == chosen:
            draft.fill(resources.home(), preset.config.to_dict())


def _dataset(form: _Form) -> None:
    st.session_state[f"{_KEY}_dataset"] = form.dataset
    st.selectbox(
        "Dataset",
        form.datasets,
        key=f"{_KEY}_dataset",
        help="Its training images train; its validation images choose the best weights.",
        on_change=_dataset_chosen,
    )
    meta = form.meta
    badge = f" {views.SYNTHETIC_BADGE}" if meta.synthetic else ""
    votes = " · FER+ votes" if meta.votes_source else ""
    train, validation = (sum(meta.counts[split]) for split in ("train", "validation"))
    st.markdown(
        f":small[:gray[{views.plain(meta.title)} · {train:,} training and {validation:,} "
        f"validation images{votes}]]{badge}"
    )


def _dataset_chosen() -> None:
    draft.choose_dataset(resources.home(), st.session_state[f"{_KEY}_dataset"])


def _architecture(name: str) -> None:
    _choose("architecture", name, architectures.names(), help=settings()["architecture"].help)
    network = architectures.get(name)
    st.caption(f"{views.plain(network.summary)} Source: {views.plain(network.source)}.")


def _widget(name: str, values: dict[str, Any], *, has_votes: bool) -> None:
    setting, value = settings()[name], values[name]
    reason = without_effect(name, values, has_votes=has_votes)
    help = setting.help if reason is None else f"{setting.help} Not used: {reason}"
    choices = _models(value) if setting.is_model else setting.choices
    if choices:
        _choose(name, value, choices, help=help, disabled=reason is not None)
        return
    key = f"{_KEY}_{name}"
    st.session_state[key] = value
    common: dict[str, Any] = {
        "key": key,
        "help": help,
        "disabled": reason is not None,
        "on_change": _changed,
        "args": (name,),
    }
    if isinstance(value, bool):
        # At the height of the boxes beside it, not of their labels.
        with st.container(height="stretch", vertical_alignment="bottom"):
            st.toggle(fields.title(name), **common)
        return
    kind = type(fields.DEFAULTS[name])
    st.session_state[key] = kind(value)
    st.number_input(
        fields.title(name),
        min_value=kind(setting.low),
        max_value=kind(setting.high),
        # What an emptied box goes back to; else that is the smallest number.
        value=kind(value),
        step=kind(fields.step(name)),
        format="%d" if kind is int else "%g",
        **common,
    )


def _models(chosen: str) -> tuple[str, ...]:
    """None, the models that there are, and the chosen one even if it is gone."""
    names = [entry.reference for entry in resources.models().list()]
    return tuple(dict.fromkeys(("", *names, chosen)))


def _choose(
    name: str, value: Any, choices: tuple[Any, ...], *, help: str, disabled: bool = False
) -> None:
    key = f"{_KEY}_{name}"
    st.session_state[key] = value
    st.selectbox(
        fields.title(name),
        choices,
        key=key,
        format_func=lambda value: fields.choice(name, value),
        help=help,
        disabled=disabled,
        on_change=_changed,
        args=(name,),
    )


def _changed(name: str) -> None:
    draft.change(resources.home(), **{name: st.session_state[f"{_KEY}_{name}"]})
