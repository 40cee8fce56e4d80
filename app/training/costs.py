"""What the training in the form will cost: known figures, or those measured on request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import streamlit as st

from app import resources, views
from app.training import draft
from app.training.fields import DEFAULTS, changes
from app.training.form import Request
from pipeline.files import read_json, write_json
from pipeline.home import Home
from pipeline.progress import Progress
from pipeline.training import architectures
from pipeline.training.arithmetic import advice
from pipeline.training.config import TrainingConfig
from pipeline.training.estimate import Estimate, estimate

JOB = "estimate"

_FILE = "training_estimates.json"
_KEPT = 50
_WITHOUT_COST = frozenset(
    {
        *("epochs", "early_stopping", "monitor", "seed"),
        *("learning_rate", "schedule", "warmup_epochs", "plateau_patience"),
        *("label_smoothing", "class_weights", "soft_labels", "vote_targets"),
    }
)
_SHAPING = ("input_size", "attention", "width")
"""The settings beside the network's name that change what is built."""


def view(request: Request, config: TrainingConfig) -> None:
    """Shows parameters, operations and time, and offers to measure them.

    Args:
        request: What the form asks for.
        config: Its configuration.
    """
    measured = stored(resources.home(), config, request.meta.fingerprint)
    parameters, macs = _size(config, measured)
    with st.grid(2, min_column_width=110, gap="small"):
        st.metric("Parameters", parameters)
        st.metric("MACs a face", macs, help="Multiply-accumulate operations for one image.")
        if measured is not None:
            st.metric("Time an epoch", views.duration(measured.seconds_per_epoch))
            st.metric("In all, at most", views.duration(config.epochs * measured.seconds_per_epoch))
    if measured is None:
        measure_button(config, request.dataset, request.meta.fingerprint, key="train_measure")
    else:
        st.caption(
            f"Measured here: {measured.images_per_second:,.0f} images/s, "
            f"{measured.peak_memory_mb / 1024:.1f} GiB of memory, with what else ran then."
        )
    hint = advice(config)
    if hint:
        st.warning(hint, icon=":material/speed:")
        st.button(
            "Take Float32",
            key="train_float32",
            icon=":material/bolt:",
            width="stretch",
            on_click=draft.change,
            args=(resources.home(),),
            kwargs={"precision": "float32"},
        )
    differences = changes(config)
    if differences:
        st.caption("Differs from the seed recipe: " + views.plain(", ".join(differences)) + ".")


def measure_button(config: TrainingConfig, dataset: str, fingerprint: str, *, key: str) -> None:
    """Offers to measure a training; what comes of it is `stored`."""
    st.button(
        "Measure the time",
        key=key,
        icon=":material/timer:",
        width="stretch",
        disabled=resources.jobs().is_running(JOB),
        help="Builds the network in a process of its own and times three batches: "
        "about ten seconds, longer while something else is training.",
        on_click=_start_measuring,
        args=(config, dataset, fingerprint),
    )


def stored(home: Home, config: TrainingConfig, fingerprint: str) -> Estimate | None:
    """What was measured before for this configuration and data, if it was."""
    values = _load(home).get(_digest(config, fingerprint))
    if values is None:
        return None
    try:
        return Estimate.from_dict(values)
    except TypeError:
        return None  # from another version: measure again


def keep(home: Home, config: TrainingConfig, fingerprint: str, result: Estimate) -> None:
    """Remembers a measurement; the oldest of many is forgotten."""
    known = {**_load(home), _digest(config, fingerprint): result.to_dict()}
    write_json(home.root / _FILE, dict(list(known.items())[-_KEPT:]))


def _start_measuring(config: TrainingConfig, dataset: str, fingerprint: str) -> None:
    """Begins the measurement as a background job; its result is kept in the home."""
    with views.guarded():
        resources.jobs().start(
            JOB,
            f"Measuring {architectures.get(config.architecture).title}",
            _work(resources.home(), config, dataset, fingerprint),
        )


def _work(
    home: Home, config: TrainingConfig, dataset: str, fingerprint: str
) -> Callable[[Progress], str]:
    def work(progress: Progress) -> str:
        result = estimate(config, dataset, home, progress)
        keep(home, config, fingerprint, result)
        return (
            f"An epoch takes about {views.duration(result.seconds_per_epoch)}, "
            f"{config.epochs} epochs {views.duration(config.epochs * result.seconds_per_epoch)}."
        )

    return work


def _size(config: TrainingConfig, measured: Estimate | None) -> tuple[str, str]:
    if measured is not None:
        return views.count(measured.num_parameters), views.count(measured.num_macs)
    if any(getattr(config, name) != DEFAULTS[name] for name in _SHAPING):
        return "—", "—"
    network = architectures.get(config.architecture)
    return views.count(network.num_parameters), views.count(network.num_macs)


def _digest(config: TrainingConfig, fingerprint: str) -> str:
    """The same for trainings that cost the same."""
    costly = {key: value for key, value in config.to_dict().items() if key not in _WITHOUT_COST}
    text = json.dumps([fingerprint, costly], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _load(home: Home) -> dict[str, dict[str, float]]:
    try:
        known = read_json(home.root / _FILE)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
