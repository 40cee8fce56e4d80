"""The range of each searched setting: two numbers, or some of its choices."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import views
from app.training import fields
from pipeline.errors import ConfigError
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.relevance import without_effect
from pipeline.training.sweep import SweepField
from pipeline.training.sweep.definition import allowed_choices, is_whole

_DECIDES = {
    "attention": "architecture",
    "width": "architecture",
    "fine_tune": "architecture",
    "pretrained": "architecture",
    "warmup_epochs": "schedule",
    "plateau_patience": "schedule",
}
"""The setting on which it depends whether another one means anything."""


def view(
    names: list[str], base: TrainingConfig, *, has_votes: bool
) -> tuple[tuple[SweepField, ...], list[str]]:
    """Asks for the range of each setting.

    Args:
        names: The settings.
        base: What the others are.
        has_votes: Whether the dataset has FER+ votes.

    Returns:
        The fields whose range is one, and the names of the others, at which it stands why.
    """
    found: list[SweepField] = []
    broken: list[str] = []
    with st.grid(2, min_column_width=300, gap="small", key="sweep_ranges"):
        for name in names:
            with st.container(border=True, gap="xsmall", key=f"sweep_range_{name}"):
                st.markdown(f"**{fields.title(name)}**", help=settings()[name].help)
                try:
                    found.append(_choices(name) if allowed_choices(name) else _range(name))
                except ConfigError as error:
                    broken.append(name)
                    views.show_error(fields.in_words(error))
                reason = without_effect(name, base.to_dict(), has_votes=has_votes)
                if reason and _DECIDES.get(name) not in names:
                    st.caption(f":orange[Would not be used: {views.plain(reason)}]")
    return tuple(found), broken


def _choices(name: str) -> SweepField:
    allowed = allowed_choices(name)
    chosen = st.pills(
        f"{fields.title(name)}: choose among",
        allowed,
        selection_mode="multi",
        default=allowed,
        key=f"sweep_{name}_choices",
        persist_state="session",
        format_func=lambda value: _word(name, value),
        label_visibility="collapsed",
        wrap=True,
    )
    return SweepField(name, choices=tuple(chosen))


def _range(name: str) -> SweepField:
    setting, sensible = settings()[name], SweepField.sensible(name)
    kind: Any = int if is_whole(name) else float
    common: dict[str, Any] = {
        "min_value": kind(setting.low),
        "max_value": kind(setting.high),
        "step": kind(fields.step(name)),
        "format": "%d" if kind is int else "%g",
        "persist_state": "session",
    }
    with st.grid(2, min_column_width=110, gap="small"):
        low = st.number_input("From", value=kind(sensible.low), key=f"sweep_{name}_low", **common)
        high = st.number_input("To", value=kind(sensible.high), key=f"sweep_{name}_high", **common)
    log = st.toggle(
        "Logarithmic",
        value=sensible.log,
        key=f"sweep_{name}_log",
        persist_state="session",
        help="Search magnitudes evenly, as for numbers of which it is not known whether 0.001 or "
        "0.1 is right. It needs a range that begins above 0.",
    )
    return SweepField(name, low, high, log)


def _word(name: str, value: Any) -> str:
    return ("On" if value else "Off") if isinstance(value, bool) else fields.choice(name, value)
