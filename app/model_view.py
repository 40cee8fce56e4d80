"""The card of the active model, or how to get one."""

from __future__ import annotations

import streamlit as st

from app import plain_html, resources, views
from app.charts import SPLIT_TITLES
from app.training import fields
from pipeline.dataset import Split
from pipeline.evaluation.stored import headline_report
from pipeline.recognition.catalog import ModelEntry
from pipeline.recognition.contract import ModelContract, data_title

ORIGINS = {
    "shipped": "Came with FER Lab",
    "run": "Trained here",
    "ensemble": "Put together here",
    "path": "From a folder",
}


def card(dataset: str | None) -> None:
    """The model that FER Lab serves, with its scores.

    Args:
        dataset: The active dataset, if there is one to train on.
    """
    entry = resources.models().active()
    if entry is None:
        _empty(dataset)
        return
    contract = ModelContract.load(entry.folder)
    badge = views.SYNTHETIC_BADGE if contract.synthetic else ""
    with views.card("Active model", "neurology", badges=badge, key="model_card"):
        st.markdown(f"**{views.plain(entry.name)}**")
        if contract.synthetic:
            st.caption("It learned from drawn faces only: do not judge people's faces by it.")
        _scores(entry)
        _facts(entry, contract)
        st.page_link(
            "pages/evaluation.py",
            label="Where it fails, and how sure it is",
            icon=":material/monitoring:",
            query_params={"model": entry.reference},
        )
        st.page_link("pages/photo.py", label="Try it on a photo", icon=":material/add_a_photo:")


def _empty(dataset: str | None) -> None:
    with views.card("Active model", "neurology", key="model_card"):
        if dataset is None:
            views.empty_state("No model yet", "Get a dataset first.", level=3)
            return
        views.empty_state("No model yet", "Train one; it shows up here by itself.", level=3)
        with st.container(horizontal_alignment="center"):
            st.page_link(
                "pages/train.py", label="Train a network", icon=":material/model_training:"
            )


def _scores(entry: ModelEntry) -> None:
    report = headline_report(entry.folder)
    if report is None:
        st.caption("It has not been evaluated yet; the Evaluate page does it.")
        return
    title = SPLIT_TITLES[Split(report.split)]
    clean = report.clean
    shown = [_figure(f"{title} accuracy", report.accuracy, report.accuracy_ci95)]
    help_text = []
    if clean.accuracy is not None and clean.accuracy_ci95 is not None:
        shown.append(_figure("Clean accuracy", clean.accuracy, clean.accuracy_ci95))
        help_text.append(
            f"Clean: on the {clean.num_samples:,} images without an exact twin among the training "
            "ones."
        )
    shown.append(_figure("Macro-F1", report.macro_f1, report.macro_f1_ci95))
    help_text.append(
        "Macro-F1: the mean F1 of the seven classes; the rare ones count as much as the common "
        "ones."
    )
    st.html(plain_html.figures(shown))
    synthetic = f" {views.SYNTHETIC_BADGE}" if report.dataset.synthetic else ""
    st.caption(
        f"{report.num_samples:,} {title.lower()} images of {views.plain(report.dataset.name)}"
        f"{synthetic}, with 95 % intervals.",
        help="\n\n".join(help_text),
    )


def _figure(name: str, value: float, interval: tuple[float, float]) -> tuple[str, str, str]:
    return name, views.percent(value), views.interval(*interval)


def _facts(entry: ModelEntry, contract: ModelContract) -> None:
    network = fields.network(contract.architecture)
    st.html(
        plain_html.facts(
            [
                ("Network", f"{network}, {views.count(contract.num_parameters)} parameters"),
                ("Trained on", data_title(contract.dataset)),
                ("Trained", views.when(contract.created)),
                ("Origin", ORIGINS[entry.origin]),
            ]
        )
    )
