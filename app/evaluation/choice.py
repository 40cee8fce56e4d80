"""What is evaluated: the choosers above the tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import resources, state, views
from app.charts import SPLIT_TITLES
from pipeline.dataset import SPLITS, Dataset, Split
from pipeline.dataset.overlay import Overlay, OverlayStore
from pipeline.errors import DatasetError
from pipeline.evaluation.report import EvaluationReport
from pipeline.evaluation.stored import stored_reports
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract

MODEL = "model"
"""The name in the address of the model that is shown, as `ModelEntry.reference`."""

TTA_TITLES = {"none": "None", "flip": "Mirror image", "ten_crop": "Ten crops"}
_STORED = ""
_HELP = (
    "Training is what the network learned from. Validation is for choosing: between models, "
    "settings, thresholds. Test is for the end: whoever chooses by it has no honest figure left."
)


@dataclass(frozen=True)
class Choice:
    """What the user wants to see evaluated.

    Attributes:
        entry: The model.
        contract: Its contract.
        stored: The reports that it came with.
        dataset: The dataset as it was imported; `None` for what is stored only.
        overlay: Its edits; `None` without a dataset.
        use_edits: Whether the edits count.
        split: Which part of the dataset.
        tta: Test-time augmentation: `none`, `flip` or `ten_crop`.
    """

    entry: ModelEntry
    contract: ModelContract
    stored: dict[Split, EvaluationReport]
    dataset: Dataset | None
    overlay: Overlay | None
    use_edits: bool
    split: Split
    tta: str


def choose() -> Choice | None:
    """Draws the choosers.

    Returns:
        What is chosen; `None` if there is nothing to evaluate the model on.

    Raises:
        ModelLoadError: If the chosen model is damaged.
        DatasetError: If the chosen dataset or its edits are.
    """
    entries = _entries()
    wanted = st.query_params.get(MODEL)
    if wanted is not None and wanted not in entries:
        views.not_here(wanted)
    with st.grid(min_column_width=160, key="evaluation_choice"):
        entry = _model(entries, wanted)
        contract, stored = entry.contract(), stored_reports(entry.folder)
        name = _dataset(entry, contract, stored)
        dataset = resources.dataset(name) if name else None
        splits = [
            split
            for split in SPLITS
            if (split in stored if dataset is None else len(dataset.indices(split)))
        ]
        if not splits:
            return None
        split = _split(entry, splits)
        overlay = OverlayStore(resources.home().data).load(dataset) if dataset else None
        tta, use_edits = "none", False
        if dataset is not None:
            tta = _pick(
                "Test-time augmentation",
                list(TTA_TITLES),
                "evaluation_tta",
                TTA_TITLES,
                bind="query-params",
            )
        if overlay is not None and (overlay.excluded or overlay.relabelled):
            titles = {False: "Official", True: f"My edits (version {overlay.version})"}
            use_edits = bool(
                _pick("Labels", [False, True], "evaluation_edits", titles, bind="query-params")
            )
    return Choice(entry, contract, stored, dataset, overlay, use_edits, split, tta)


def _entries() -> dict[str, ModelEntry]:
    """All models by reference, the active one, which may lie anywhere, first."""
    active = resources.models().active()
    listed = [*([active] if active else []), *resources.models().list()]
    return {entry.reference: entry for entry in listed}


def _model(entries: dict[str, ModelEntry], wanted: str | None) -> ModelEntry:
    if wanted in entries:
        st.session_state["evaluation_model"] = wanted
    # Nothing that changes, such as which is active: Streamlit remembers the choice by its title.
    titles = {name: entry.name for name, entry in entries.items()}
    chosen = _pick("Model", list(entries), "evaluation_model", titles, on_change=_model_picked)
    return entries[chosen]


def _model_picked() -> None:
    st.query_params[MODEL] = st.session_state["evaluation_model"]


def _dataset(
    entry: ModelEntry, contract: ModelContract, stored: dict[Split, EvaluationReport]
) -> str:
    store = resources.datasets()
    names = store.names()
    own = [name for name in names if _fingerprint(name) == contract.dataset.get("fingerprint")]
    titles = {name: name for name in names}
    options = list(names)
    if stored and not own:
        # Figures of data that are not here: all that can be shown is what was kept.
        report = next(iter(stored.values()))
        titles[_STORED] = f"Stored: {report.dataset.name}"
        options.insert(0, _STORED)
    active = state.active_dataset(resources.home(), store)
    first = own[0] if own else _STORED if stored or active is None else active
    if not options:
        return _STORED
    return str(_pick("Dataset", options, f"evaluation_dataset_{entry.reference}", titles, first))


def _fingerprint(name: str) -> str | None:
    try:
        return resources.datasets().meta(name).fingerprint
    except DatasetError:
        return None  # a damaged one; who chooses it is told so


def _split(entry: ModelEntry, splits: list[Split]) -> Split:
    # The figures of a shipped model are known already; one's own model is still being chosen.
    # Remembered apart, or a look at the one would score the test images of the other.
    wanted, key = (
        (Split.TEST, "evaluation_split_shipped")
        if entry.origin == "shipped"
        else (Split.VALIDATION, "evaluation_split_own")
    )
    first = wanted if wanted in splits else splits[-1]
    return Split(_pick("Split", splits, key, SPLIT_TITLES, first, help=_HELP, bind="query-params"))


def _pick(
    label: str,
    options: list[Any],
    key: str,
    titles: dict[Any, str],
    first: Any = None,
    **more: Any,
) -> Any:
    """A selectbox that keeps its value on other pages, and forgets one that is gone."""
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return st.selectbox(
        label,
        options,
        index=0 if first is None else options.index(first),
        key=key,
        format_func=titles.__getitem__,
        persist_state="session",
        **more,
    )
