"""Report: everything on this page as one file, to keep or to hand on."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import resources, views
from app.charts import SPLIT_TITLES
from app.evaluation.choice import TTA_TITLES
from app.evaluation.desk import Desk, not_scored
from pipeline.evaluation.report import EvaluationReport
from pipeline.evaluation.stored import stored_reports
from pipeline.evaluation.stress import StressStore
from pipeline.reporting import Material, compose, render

_FORMS = (("HTML", ".html", "text/html"), ("Markdown", ".md", "text/markdown"))
_MOST_MISTAKES = 60


def tab(desk: Desk) -> None:
    """What the report holds, and its two forms to save."""
    report = desk.report
    if report is None:
        not_scored(desk, "The figures")
        return
    where, averaged = SPLIT_TITLES[desk.split].lower(), TTA_TITLES[desk.tta].lower()
    st.markdown(
        f"One file about **{views.plain(desk.entry.name)}** on {where}, test-time augmentation: "
        f"{averaged}. The HTML form holds everything it needs, follows the reader's light or dark "
        "setting, prints, and opens without a connection."
    )
    material = material_of(desk, report)
    st.markdown("\n".join(f"- {line}" for line in contents(material)))
    number = 0
    if desk.predictions is not None:
        number = st.number_input(
            "Most confident mistakes, as pictures",
            min_value=0,
            max_value=_MOST_MISTAKES,
            value=0,
            step=6,
            key="report_mistakes",
            persist_state="session",
            width=300,
            help="They are faces of people: leave them out of what you publish, unless you may.",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, suffix, mime in _FORMS:
            st.download_button(
                title,
                _writer(material, suffix, number),
                file_name=f"{desk.slug}-report{suffix}",
                mime=mime,
                key=f"report_{suffix[1:]}",
                icon=":material/download:",
                on_click="ignore",
                type="primary" if suffix == ".html" else "secondary",
            )
        preview = st.toggle("Preview", key="report_preview")
    if preview:
        with st.spinner("Writing the report"):
            page = _writer(material, ".html", number)().decode("utf-8")
        st.iframe(page, height=900)


def material_of(desk: Desk, report: EvaluationReport) -> Material:
    """What the document tells: the figures as they stand on the page."""
    stress = None
    if desk.dataset is not None and desk.tta == "none" and not desk.use_edits:
        store = StressStore(resources.home().cache)
        stress = store.load(desk.entry.folder, desk.dataset, desk.split)
    return Material(
        name=desk.entry.name,
        contract=desk.contract,
        report=report,
        stored=stored_reports(desk.entry.folder),
        # Without the answers the report is that stored with the model.
        dataset=desk.dataset if desk.predictions is not None else None,
        predictions=desk.predictions,
        stress=stress,
    )


def contents(material: Material) -> list[str]:
    """What is in the report and what is not, as lines of Markdown."""
    lines = [
        "**Figures** with their intervals, beside those of others; confusion matrix, the pairs "
        "mixed up most, and the figures of each class",
        "**Calibration**, and what saying “unsure” gains at each threshold",
        "**Dataset card**: origin, counts, imbalance"
        + ("" if material.dataset is None else ", twins across the splits")
        + (
            ", agreement with the FER+ votes"
            if material.dataset is not None and material.dataset.votes is not None
            else ""
        ),
        "**Model card**: network, settings, versions, the commands that made it; intended use, "
        "limits, responsible use, sources",
    ]
    if material.stress is not None:
        lines.insert(2, "**Robustness**, as the stress bench found it")
    elif material.predictions is not None:
        lines.append(":gray[Not in it: robustness, as the stress bench has not been run for this]")
    if material.predictions is None:
        lines.append(
            ":gray[Not in it: what needs single images, as only the stored figures are known here]"
        )
    return lines


def _writer(material: Material, suffix: str, num_mistakes: int) -> Callable[[], bytes]:
    """Makes the file when it is asked for, not each time the page is drawn."""
    return lambda: render(compose(material, num_mistakes=num_mistakes), suffix).encode("utf-8")
