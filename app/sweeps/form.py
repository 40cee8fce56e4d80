"""Putting a sweep together: where it begins, what it searches over, how long."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from app import get_data, resources, state, views
from app.sweeps import ranges, steer
from app.training import costs, fields, launch
from pipeline.dataset import DatasetMeta
from pipeline.errors import PipelineError
from pipeline.training.arithmetic import advice
from pipeline.training.config import TrainingConfig, settings
from pipeline.training.presets import PRESETS
from pipeline.training.relevance import checked, effective
from pipeline.training.sweep import SweepDefinition, processes
from pipeline.training.sweep.definition import METRICS, MOST_TRIALS, base_of, searchable

_AT_FIRST = ["learning_rate", "dropout", "label_smoothing"]


@dataclass(frozen=True)
class _Base:
    """Where a sweep can begin."""

    title: str
    config: TrainingConfig


def view() -> None:
    """The form and beside it the costs and the start."""
    names = resources.datasets().names()
    if not names:
        get_data.no_dataset(
            "A sweep trains many networks on labelled faces.", key="sweep_no_dataset"
        )
        return
    left, right = st.columns([5, 2], gap="medium")
    with left:
        base, dataset = _start_from(names)
        meta = resources.datasets().meta(dataset)
        config = _bases()[base].config
        chosen = st.multiselect(
            "Search over",
            searchable(),
            default=_AT_FIRST,
            key="sweep_fields",
            persist_state="session",
            format_func=fields.title,
            help="The other settings stay as they are where the sweep starts from.",
        )
        has_votes = meta.votes_source is not None
        searched, broken = ranges.view(chosen, config, has_votes=has_votes)
    with right, views.card("This sweep", "tune", key="sweep_start_card"):
        _start(_budget(base, config, dataset, meta, searched, broken))


def _start_from(names: list[str]) -> tuple[str, str]:
    bases = _bases()
    active = state.active_dataset(resources.home(), resources.datasets())
    for key, there in (("sweep_base", bases), ("sweep_dataset", names)):
        if st.session_state.get(key) not in there:
            st.session_state.pop(key, None)  # what was chosen is gone
    with st.grid(2, min_column_width=220, gap="small"):
        base = st.selectbox(
            "Start from",
            list(bases),
            key="sweep_base",
            persist_state="session",
            format_func=lambda key: bases[key].title,
            help="A recipe, or the settings of a run.",
        )
        dataset = st.selectbox(
            "Dataset",
            names,
            index=names.index(active) if active in names else 0,
            key="sweep_dataset",
            persist_state="session",
            help="Its training images train; its validation images judge. "
            "Its test images take no part in the choice.",
        )
    return base, dataset


def _bases() -> dict[str, _Base]:
    found = {f"preset {preset.name}": _Base(preset.title, preset.config) for preset in PRESETS}
    for run in resources.runs().list():
        try:
            found[f"run {run.id}"] = _Base(f"Run {run.id}", base_of(run.config))
        except PipelineError:
            continue  # a damaged run is no start
    return found


def _budget(
    base: str,
    config: TrainingConfig,
    dataset: str,
    meta: DatasetMeta,
    searched: tuple[Any, ...],
    broken: list[str],
) -> SweepDefinition | None:
    """Asks how long to search; gives the sweep, or says why it cannot be."""
    searched_names = [item.name for item in searched]
    metric = st.selectbox(
        "Make best",
        METRICS,
        key="sweep_metric",
        persist_state="session",
        format_func=lambda name: fields.choice("monitor", name),
        help="Of the best epoch of each trial. It also chooses the weights that are kept.",
    )
    with st.grid(2, min_column_width=110, gap="small"):
        trials = st.number_input(
            "Trials",
            1,
            MOST_TRIALS,
            20,
            key="sweep_trials",
            persist_state="session",
            help="Trainings, over all workers.",
        )
        changes: dict[str, Any] = {}
        if "epochs" not in searched_names:
            changes["epochs"] = st.number_input(
                "Epochs each",
                1,
                int(settings()["epochs"].high or 1),
                config.epochs,
                # Another start has another length.
                key=f"sweep_epochs_{base}",
                persist_state="session",
                help="At most. A search can be shorter than the training that it is for.",
            )
        if "subset" not in searched_names:
            changes["subset"] = st.number_input(
                "Share of images",
                0.05,
                1.0,
                max(0.05, config.subset),
                0.05,
                key=f"sweep_subset_{base}",
                persist_state="session",
                help="Of the training images; fewer are faster and say less.",
            )
    hint = "" if "precision" in searched_names else advice(config)
    if hint:
        if st.toggle("Train in Float32", key=f"sweep_float32_{base}", persist_state="session"):
            changes["precision"] = "float32"
        else:
            st.warning(hint, icon=":material/speed:")
    pruning = st.toggle(
        "Give up poor trials early",
        value=True,
        key="sweep_pruning",
        persist_state="session",
        help="Once four trials have ended, one that does worse than the median of the earlier "
        "ones after as many epochs is ended there.",
    )
    if broken:
        names = ", ".join(f"“{fields.title(name)}”" for name in broken)
        st.caption(f":red[:material/error: First mend the range of {names}.]")
        return None
    try:
        return SweepDefinition(
            base=replace(config, **changes),
            dataset=dataset,
            fingerprint=meta.fingerprint,
            has_votes=meta.votes_source is not None,
            fields=searched,
            metric=metric,
            num_trials=int(trials),
            pruning=pruning,
        )
    except PipelineError as error:
        views.show_error(fields.in_words(error))
        return None


def _start(definition: SweepDefinition | None) -> None:
    cores = os.cpu_count() or 1
    workers = st.number_input(
        "Workers",
        1,
        max(2, cores),
        1,
        key="sweep_workers",
        persist_state="session",
        help=f"Trainings at a time. They share this computer's {cores} cores, and each needs "
        "memory of its own.",
    )
    name = st.text_input(
        "Name",
        key="sweep_name",
        persist_state="session",
        placeholder=_free_name(),
        help="Lower-case letters, digits, '.', '_' and '-'. Its runs are named after it.",
    )
    if definition is not None:
        with views.guarded():
            _length(definition)
    busy = launch.lively()
    if busy:
        names = views.plain(", ".join(run.id for run in busy[:3]))
        st.caption(f":material/info: {names} is being trained now; side by side both are slower.")
    pressed = st.button(
        "Start sweep",
        key="sweep_start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=definition is None,
    )
    if pressed and definition is not None:
        with views.guarded():
            _begin(name.strip() or _free_name(), definition, int(workers))
            st.rerun()


def _length(definition: SweepDefinition) -> None:
    """How long the search can take: a night, or a week, is soon begun with one click."""
    epochs = definition.most_epochs
    config = checked(effective(definition.base.to_dict(), has_votes=definition.has_votes))
    measured = costs.stored(resources.home(), config, definition.fingerprint)
    if measured is None:
        st.caption(f"At most {epochs:,} epochs in all.")
        costs.measure_button(
            config, definition.dataset, definition.fingerprint, key="sweep_measure"
        )
    else:
        st.caption(
            f"At most {views.duration(epochs * measured.seconds_per_epoch)} in all, for {epochs:,} "
            "epochs: as measured here for what it starts from."
        )


def _begin(name: str, definition: SweepDefinition, workers: int) -> None:
    store = resources.sweeps()
    store.create(name, definition, resources.runs())
    for _ in range(workers):
        processes.start(store, name, resources.home())
    steer.show(name)


def _free_name() -> str:
    taken = resources.sweeps().taken(resources.runs())
    return next(name for number in range(1, 10_000) if (name := f"sweep-{number}") not in taken)
