"""What can be compared without predictions: figures, curves, settings, costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import plain_html, reference_charts, reference_view, views
from app.charts import CONFIG
from app.compare import charts
from app.compare.subjects import Subject, all_settings, differing, setting_rows
from app.reference_charts import Mark
from app.training import fields
from pipeline.dataset import Split
from pipeline.evaluation.references import load_references

_SIGNS = {
    "circle": "●",
    "diamond": "◆",
    "square": "■",
    "triangle-up": "▲",
    "x": "✖",
    "star": "★",
    "triangle-down": "▼",
    "pentagon": "⬟",
}
_AXES = 6
_FIGURES = {
    *("Validation accuracy", "Validation macro-F1", "Epochs done", "Minutes"),
    *("Parameters", "MACs a face", "One face, ms"),
}
"""The columns of numbers in the table of the compared."""
_COSTS: dict[str, tuple[Callable[[Subject], float | None], str, str]] = {
    "Parameters": (lambda item: item.parameters, "Parameters", ""),
    "MACs": (lambda item: item.macs, "MACs a face", ""),
    "Latency": (lambda item: item.latency_ms, "Time for one face, ms", " ms"),
}


def heading(subjects: Sequence[Subject]) -> None:
    """The legend of all charts, with the main figures, and what to beware of."""
    rows = [figures(item) for item in subjects]
    st.html(
        plain_html.table(
            rows,
            numbers=_FIGURES,
            signs=[(_SIGNS[item.symbol], item.color) for item in subjects],
            label="The compared runs and models with their validation scores, sizes and times",
        )
    )
    with st.container(horizontal=True, gap="small", key="compare_evaluate"):
        for item in subjects:
            if item.contract is not None:
                st.page_link(
                    "pages/evaluation.py",
                    label=f"Evaluate {views.plain(item.name)}",
                    icon=":material/monitoring:",
                    query_params={"model": item.name},
                )
    for item in subjects:
        if item.trouble:
            st.error(
                views.plain(f"{item.name} cannot be read: {item.trouble}"), icon=":material/error:"
            )
    if len({item.data_fingerprint or item.data_name for item in subjects}) > 1:
        learned = ", ".join(f"{item.name} from {item.data_name}" for item in subjects)
        st.warning(
            f"They learned from different data: {views.plain(learned)}. Figures of different "
            "validation images do not compare; those in the tab “On the same images” do.",
            icon=":material/warning:",
        )


def figures(item: Subject) -> dict[str, str]:
    """The main figures of one of the compared, in words."""

    def words(number: float | None, write: Callable[[Any], str]) -> str:
        return "—" if number is None else write(number)

    minutes = None if item.seconds is None else item.seconds / 60
    return {
        "Name": item.name,
        "Validation accuracy": words(item.val_accuracy, views.percent),
        "Validation macro-F1": words(item.val_macro_f1, views.percent),
        "Epochs done": words(len(item.history) or None, str),
        "Minutes": words(minutes, "{:,.1f}".format),
        "Parameters": words(item.parameters, views.count),
        "MACs a face": words(item.macs, views.count),
        "One face, ms": words(item.latency_ms, "{:.2f}".format),
        "Network": item.network,
        "Dataset": item.data_name,
    }


def legend(subjects: Sequence[Subject]) -> str:
    """The colour and sign of each, as Markdown."""
    return " \u2003 ".join(
        f':small[:color[{_SIGNS[item.symbol]}]{{foreground="{item.color}"}} '
        f"{views.plain(item.name)}]"
        for item in subjects
    )


@st.fragment
def curves(subjects: Sequence[Subject]) -> None:
    """The curves of all runs, over one another."""
    trained = [item for item in subjects if item.history]
    if not trained:
        views.empty_state("No curves", "None of them has finished an epoch here.")
        return
    over = st.segmented_control(
        "Over",
        ["Epochs", "Time"],
        default="Epochs",
        required=True,
        key="compare_over",
        persist_state="session",
        label_visibility="collapsed",
    )
    text = charts.curves_text(trained)
    with st.grid(2, min_column_width=300, gap="medium", key="compare_curves"):
        for name, (title, *_) in charts.CURVES.items():
            with st.container(gap="xxsmall"):
                st.markdown(f":small[**{title}**]")
                st.plotly_chart(
                    charts.curve(trained, name, by_time=over == "Time"),
                    config=CONFIG,
                    key=f"compare_curve_{name}",
                    alt=f"{title}. {text}",
                )
    st.markdown(legend(trained))
    st.caption("Solid: validation. Dotted: training, with augmentation and regularisation on.")
    without = ", ".join(views.plain(item.name) for item in subjects if not item.history)
    if without:
        st.caption(
            f"Without curves: {without}. A run has them from its first epoch on; a model that was "
            "not trained here comes without."
        )


@st.fragment
def settings(subjects: Sequence[Subject]) -> None:
    """The settings in which they differ, or all."""
    known = [item for item in subjects if item.config]
    names = differing(known)
    everything = st.toggle("All settings", key="compare_all_settings", persist_state="session")
    shown = all_settings(known) if everything else names
    if not shown:
        st.markdown("They have the **same settings**, the seed included.")
        return
    st.dataframe(
        setting_rows(known, shown),
        hide_index=True,
        key="compare_settings",
        height="content" if len(shown) < 16 else 560,
        alt="Settings by run",
        column_config={"setting": st.column_config.TextColumn("Setting", pinned=True)},
    )
    if set(names) == {"seed"}:
        st.caption("Only the seed differs: the gap between them is what luck alone does.")


@st.fragment
def costs(subjects: Sequence[Subject]) -> None:
    """What the settings came to: parallel coordinates, and accuracy against cost."""
    scored = [item for item in subjects if item.val_accuracy is not None]
    if not scored:
        views.empty_state("No results yet", "None of them has been scored on validation.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        _settings_and_result(scored)
    with right:
        _trade_off(scored)
    st.markdown(legend(scored))


@st.fragment
def references(subjects: Sequence[Subject]) -> None:
    """One's own accuracies beside what others achieve, apart and labelled."""
    rows = load_references()
    drawn = {item.name for item in subjects if item.contract and item.contract.synthetic}
    if drawn:
        st.info(
            f"{views.plain(', '.join(sorted(drawn)))}: trained and validated on drawn faces, of "
            "which the figures of others say nothing. Left out here.",
            icon=":material/info:",
        )
    marks = [
        Mark(
            item.name,
            item.val_accuracy,
            report.accuracy_ci95 if (report := item.reports.get(Split.VALIDATION)) else None,
            item.color,
            item.symbol,
        )
        for item in subjects
        if item.val_accuracy is not None and item.name not in drawn
    ]
    st.plotly_chart(
        reference_charts.accuracies(marks, rows),
        config=CONFIG,
        key="compare_accuracies",
        alt="Validation accuracies of the compared, and below those of the references",
    )
    st.caption(
        "Above the line: the compared, on validation, with 95 % intervals. Below: others, hollow "
        "as published, full as measured."
    )
    reference_view.table(rows)


def _settings_and_result(scored: Sequence[Subject]) -> None:
    views.heading("Settings and result")
    names = [name for name in differing(scored) if name != "dataset"]
    if not names:
        st.caption("They have the same settings: there is nothing to trace a difference back to.")
        return
    chosen = names[:_AXES]
    if len(names) > _AXES:
        chosen = st.multiselect(
            "Settings",
            names,
            default=chosen,
            # Of other runs other settings differ.
            key="compare_axes_" + "_".join(names),
            persist_state="session",
            format_func=fields.title,
            max_selections=2 * _AXES,
            select_all=False,
            wrap=True,
        )
    st.plotly_chart(
        charts.parallel(scored, chosen),
        config=CONFIG,
        key="compare_parallel",
        alt="A line for each run through its settings to its validation accuracy",
    )
    st.caption("Settings are evenly spaced by their order; the last axis has a scale.")


def _trade_off(scored: Sequence[Subject]) -> None:
    views.heading("Accuracy and cost")
    name = st.segmented_control(
        "Cost",
        list(_COSTS),
        default="Parameters",
        required=True,
        key="compare_cost",
        persist_state="session",
        label_visibility="collapsed",
    )
    cost, title, unit = _COSTS[name or "Parameters"]
    values = [cost(item) for item in scored]
    if not any(value is not None for value in values):
        views.empty_state("Not known", "The cost is measured when a run ends with a model.")
        return
    st.plotly_chart(
        charts.trade_off(scored, values, title, unit),
        config=CONFIG,
        key="compare_trade_off",
        alt=f"Validation accuracy against {title.lower()}, with the Pareto front",
    )
    note = "Dashed: the Pareto front. A hollow mark is beaten by another that costs no more."
    if name == "Latency":
        note += " Measured with a batch of one, on the computer that evaluated each."
    st.caption(note)
