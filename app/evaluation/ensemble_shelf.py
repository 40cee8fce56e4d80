"""Saving an ensemble as a model, and what can be done with the saved ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from app import active_model, resources, views
from app.evaluation.desk import Desk
from app.jobs import JobBusyError, Work
from app.messages import describe
from pipeline.dataset import Dataset, DatasetStore
from pipeline.dataset.overlay import Overlay
from pipeline.evaluation.ensemble import SAVED_VIEWS
from pipeline.progress import Progress
from pipeline.recognition.catalog import ModelCatalog, ModelEntry
from pipeline.recognition.contract import ModelContract

_KIND = "ensemble_saving"
_NAME = "ensemble_name"
_TROUBLE = "ensemble_trouble"


class Candidate(NamedTuple):
    """A model that can be a member, with its contract, which is read but once."""

    entry: ModelEntry
    contract: ModelContract


def saving_work(
    catalog: ModelCatalog,
    name: str,
    members: list[ModelEntry],
    datasets: DatasetStore,
    dataset: str,
    overlay: Overlay | None,
    tta: str,
) -> Work:
    """The work of saving an ensemble."""

    def work(progress: Progress) -> str:
        # Here, not above: ONNX takes a tenth of a second to load, and few save an ensemble.
        from pipeline.evaluation.ensemble_package import save_ensemble

        data = datasets.open(dataset)
        data = overlay.apply(data) if overlay is not None else data
        save_ensemble(catalog, name, members, data, views=tta, progress=progress)
        return f"{name} can be used like any other model; it is listed under Ensembles."

    return work


def save(desk: Desk, dataset: Dataset, members: list[ModelEntry]) -> None:
    """The form that saves the chosen members as one model."""
    with st.container(border=True, key="ensemble_save_form"):
        views.heading("Save as a model")
        st.caption(
            "One network of all members, with temperature and threshold of its own, for photos, "
            "videos, the live view and the JSON interface. The members must take a face alike: "
            "same input size, same contrast equalisation."
        )
        if desk.tta not in SAVED_VIEWS:
            st.info(
                "Ten crops are cut from the face before it is resized, which a saved network comes "
                "too late for: choose none, or the mirror image, as test-time augmentation above.",
                icon=":material/info:",
            )
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Name", key=_NAME, placeholder="such as best-three", width=260)
            st.button(
                "Save",
                key="ensemble_save",
                icon=":material/save:",
                on_click=_start,
                args=(desk, dataset.name, members),
            )
        trouble = st.session_state.pop(_TROUBLE, None)
        if trouble:
            st.error(views.plain(trouble), icon=":material/error:")


def saved(models: dict[str, Candidate]) -> None:
    """The saved ensembles, and what can be done with each."""
    ensembles = [model for model in models.values() if model.entry.origin == "ensemble"]
    if not ensembles:
        return
    active = resources.models().active()
    with st.container(border=True, key="ensembles_saved"):
        views.heading("Saved ensembles")
        for entry, contract in ensembles:
            is_active = active is not None and active.folder == entry.folder
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(_line(entry.name, contract.training), width="stretch")
                if is_active:
                    st.badge("Active", icon=":material/check:", color="green")
                else:
                    key = f"ensemble_activate_{entry.name}"
                    active_model.button_for(entry.reference, key=key)
                if st.button(
                    "Delete",
                    key=f"ensemble_delete_{entry.name}",
                    type="tertiary",
                    icon=":material/delete:",
                ):
                    _confirm_delete(entry, is_active)


def _line(name: str, training: dict[str, Any]) -> str:
    members = ", ".join(views.plain(str(item["name"])) for item in training.get("members", ()))
    mirrored = ", with mirror image" if training.get("views") == "flip" else ""
    return f"**{views.plain(name)}**  \n:small[:gray[{members}{mirrored}]]"


@st.dialog("Delete this ensemble?", icon=":material/delete:")
def _confirm_delete(entry: ModelEntry, is_active: bool) -> None:
    size = views.file_size(resources.folder_bytes(entry.folder))
    st.markdown(
        f"**{views.plain(entry.name)}** ({size}) is removed from this computer for good. Its "
        "members stay."
    )
    if is_active:
        st.warning("It is the active model.", icon=":material/neurology:")
    # Not the beginning of the list's keys, to which a name is added.
    views.keep_or_delete(_delete, entry.name, key="ensemble_gone")


def _delete(name: str) -> None:
    from pipeline.evaluation.ensemble_package import delete_ensemble

    with views.guarded():
        delete_ensemble(resources.models(), name)


def _start(desk: Desk, dataset: str, members: list[ModelEntry]) -> None:
    name = st.session_state.get(_NAME, "").strip()
    if not name:
        st.session_state[_TROUBLE] = "Give the new model a name."
        return
    work = saving_work(
        resources.models(),
        name,
        members,
        resources.datasets(),
        dataset,
        desk.overlay if desk.use_edits else None,
        desk.tta,
    )
    try:
        resources.jobs().start(_KIND, f"Saving the ensemble {name}", work)
    except JobBusyError as error:
        # A callback has no place on the page: the form shows it.
        st.session_state[_TROUBLE] = describe(error)
