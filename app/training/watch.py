"""A run as it goes: progress, curves, log, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import active_model, resources, views
from app.charts import CONFIG
from app.training import charts, fields, launch, line, steer
from app.training.launch import Phase
from app.training.words import WORDS
from pipeline.errors import TrainingError
from pipeline.runs import Run

_SECONDS_BETWEEN_LOOKS = 2.0
_RECENT = 3
_LOG_LINES = 40
_WATCHED = "train_watched"

_RESUMED = {Phase.WAITING: "Start", Phase.STILLBORN: "Try again"}


def view(runs: list[Run]) -> None:
    """One run of the user's choice; it keeps itself up to date.

    Args:
        runs: All runs, the newest first; at least one.
    """
    run = _pick(runs)
    phase = launch.phase(run)
    every = _SECONDS_BETWEEN_LOOKS if phase.is_lively else None
    st.fragment(_watch, run_every=every)(run, phase)


def _pick(runs: list[Run]) -> Run:
    by_id = {run.id: run for run in runs}
    # What is shown stays: when it ends, another one would have its Stop in the same place.
    wanted = st.query_params.get(steer.RUN)
    if wanted is not None and wanted not in by_id:
        views.not_here(wanted)
    known = (wanted, st.session_state.get(_WATCHED))
    chosen = next((run_id for run_id in known if run_id in by_id), None)
    if chosen is None:
        chosen = next((run.id for run in launch.lively()), runs[0].id)
    st.session_state[_WATCHED] = chosen
    st.selectbox("Run", list(by_id), key=_WATCHED, on_change=_picked)
    return by_id[chosen]


def _picked() -> None:
    st.query_params[steer.RUN] = st.session_state[_WATCHED]


def _watch(run: Run, phase_at_first: Phase) -> None:
    with views.guarded():
        if not run.folder.exists():
            st.rerun()  # deleted elsewhere
        phase = launch.phase(run)
        if (phase.is_busy, phase.is_lively) != (phase_at_first.is_busy, phase_at_first.is_lively):
            # Begins, or ends, the looking; the sidebar learns of a new model too.
            st.rerun()
        config, history = run.config, run.history
        with st.container(border=True, key="train_watch"):
            _heading(run, phase, config)
            _progress(run, phase, config, history)
            _reason(run, phase)
            if history:
                _figures(history)
                _curves(history)
            _log(run, phase)


def _heading(run: Run, phase: Phase, config: dict[str, Any]) -> None:
    word, icon, color = WORDS[phase]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = fields.network(config["architecture"])
        if run.notes.title:
            title = f"{views.plain(run.notes.title)}: {title}"
        data = views.plain(str(config.get("dataset", "?")))
        if config.get("overlay_version") is not None:
            data += f" with version {config['overlay_version']} of its edits"
        views.heading(
            title, f" on {data} :{color}-badge[:material/{icon}: {word}]", width="stretch"
        )
        wish = _buttons(run, phase)
    if wish is not None:
        # Not a callback: in a fragment, what a callback says would replace the page's title.
        with views.guarded():
            wish(run)
            st.rerun()


def _buttons(run: Run, phase: Phase) -> Callable[[Run], object] | None:
    """The buttons that make sense now; gives what the one pressed asks for."""
    wish: Callable[[Run], object] | None = None
    if phase is Phase.RUNNING:
        help = "At the next batch. The best weights so far become a model; it can be resumed."
        if st.button("Stop", key="train_stop", icon=":material/stop:", help=help):
            wish = launch.stop
    elif phase is Phase.IN_LINE:
        help = "Beside what is being trained; each then takes longer, and both need memory."
        if st.button("Start now", key="train_now", icon=":material/play_arrow:", help=help):
            wish = launch.start_now
        if st.button("Take out", key="train_out", icon=":material/playlist_remove:"):
            wish = launch.take_out
    elif phase not in (Phase.STARTING, Phase.STOPPING, Phase.FINISHED):
        help = "Goes on from the last finished epoch."
        word = _RESUMED.get(phase, "Resume")
        if st.button(word, key="train_resume", icon=":material/play_arrow:", help=help):
            wish = launch.resume
    help = "Fills the form with this run's settings, to change some and start anew."
    if st.button("Clone", key="train_clone", icon=":material/content_copy:", help=help):
        wish = steer.clone
    if run.has_model and not phase.is_busy:
        active = resources.models().active()
        if active is not None and active.folder == run.folder:
            st.badge("Active model", icon=":material/check:", color="green")
        elif active_model.button(key="train_promote"):
            wish = _promote
        if st.button("Evaluate", key="train_evaluate", icon=":material/monitoring:"):
            st.switch_page("pages/evaluation.py", query_params={"model": run.id})
    return wish


def _promote(run: Run) -> None:
    active_model.choose(run.id)


def _progress(
    run: Run, phase: Phase, config: dict[str, Any], history: list[dict[str, Any]]
) -> None:
    if phase is Phase.STARTING:
        st.progress(0.02, text=":shimmer[Loading Keras and the images]")
        return
    if phase is Phase.STOPPING:
        share = min(1.0, len(history) / int(config["epochs"]))
        st.progress(share, text=":shimmer[Keeping the best weights, scoring and packaging them]")
        return
    now, total = run.progress, int(config["epochs"])
    done = len(history)
    if phase is not Phase.RUNNING:
        text = f"{done} of {total} epochs"
        if phase is Phase.IN_LINE:
            text = f"{line.place_words(run.id).capitalize()} · {text}"
        st.progress(min(1.0, done / total), text=text)
        return
    # The file may still tell of an epoch that has ended, or of the time before a resume.
    inside = now.get("step", 0) / now["steps"] if now.get("epoch") == done + 1 else 0.0
    parts = [f"Epoch {min(done + 1, total)} of {total}"]
    if done >= total:
        parts = ["Scoring and packaging the model"]
    elif inside:
        parts.append(f"{now['images_per_second']:,.0f} images/s")
        parts.append(f"at most {views.duration(_seconds_left(done + inside, now, history))} left")
    st.progress(min(1.0, (done + inside) / total), text=f":shimmer[{' · '.join(parts)}]")


def _seconds_left(done: float, now: dict[str, Any], history: list[dict[str, Any]]) -> float:
    recent = [entry["seconds"] for entry in history[-_RECENT:]]
    if not recent:
        return float(now["eta_seconds"])
    # Finished epochs know what validation takes, too.
    return float((now["epochs"] - done) * sum(recent) / len(recent))


def _reason(run: Run, phase: Phase) -> None:
    if phase is Phase.STILLBORN:
        st.error(
            "The training process ended before it began; its last words are below.",
            icon=":material/error:",
        )
    elif phase is Phase.FAILED:
        views.show_error(TrainingError(run.state.reason))
    elif phase is Phase.STOPPED and run.has_model:
        st.caption("Stopped on request; the best weights were kept as its model.")


def _figures(history: list[dict[str, Any]]) -> None:
    last, best = history[-1], charts.best_epoch(history) or history[-1]
    with st.grid(5, min_column_width=130, gap="small", key="train_figures"):
        st.metric(
            "Best accuracy",
            views.percent(best["val_accuracy"]),
            help=f"On validation images, in epoch {best['epoch']}, whose weights are kept.",
        )
        st.metric("Its macro-F1", views.percent(best["val_macro_f1"]))
        st.metric("Training accuracy", views.percent(last["accuracy"]))
        st.metric("Images/s", f"{last['images_per_second']:,.0f}")
        st.metric("Time so far", views.duration(sum(entry["seconds"] for entry in history)))


def _curves(history: list[dict[str, Any]]) -> None:
    text = charts.curves_text(history)
    figures = {
        "Accuracy, %": charts.accuracy(history),
        "Loss": charts.loss(history),
        "Learning rate": charts.learning_rate(history),
    }
    with st.grid(3, min_column_width=220, gap="medium", key="train_curves"):
        for title, figure in figures.items():
            with st.container(gap="xxsmall"):
                st.markdown(f":small[**{title}**]")
                st.plotly_chart(figure, config=CONFIG, key=f"curve_{title}", alt=f"{title}. {text}")


def _log(run: Run, phase: Phase) -> None:
    text = run.log_tail(_LOG_LINES)
    if not text:
        return
    broken = phase in (Phase.FAILED, Phase.STILLBORN)
    with st.expander("Log", icon=":material/terminal:", expanded=broken, key="train_log"):
        st.code(text, language=None, height=240 if text.count("\n") > 9 else "content")
        st.caption(f"The last lines of `{run.folder / 'train.log'}`")
