"""A sweep as it goes: progress, workers, what was found, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import streamlit as st

from app import resources, views
from app.charts import CONFIG
from app.sweeps import charts, steer, table
from app.training import fields
from pipeline.errors import SweepNotFoundError
from pipeline.training.sweep import Sweep, SweepDefinition, TrialPhase, TrialRecord, processes
from pipeline.training.sweep.processes import WorkerProcess
from pipeline.training.sweep.store import best

_SECONDS_BETWEEN_LOOKS = 3.0
_SECONDS_WHILE_QUIET = 15.0
_LOG_LINES = 30
_ASKED = "sweep_delete_asked"
_ENDED = (TrialPhase.FINISHED, TrialPhase.PRUNED, TrialPhase.FAILED)


def view(names: list[str]) -> None:
    """One sweep of the user's choice; it keeps itself up to date.

    Args:
        names: All sweeps, the newest first; at least one.
    """
    name = steer.pick(names)
    if st.session_state.pop(_ASKED, None) == name:
        # Here, not in the fragment, which is drawn anew while the question stands.
        _confirm_delete(name)
    lively = any(worker.is_alive for worker in processes.workers(resources.home(), name))
    # While nothing works here, a slow look still finds workers elsewhere.
    every = _SECONDS_BETWEEN_LOOKS if lively else _SECONDS_WHILE_QUIET
    st.fragment(_watch, run_every=every)(name, lively)


def _watch(name: str, lively_at_first: bool) -> None:
    with views.guarded():
        workers = processes.workers(resources.home(), name)
        if any(worker.is_alive for worker in workers) != lively_at_first:
            st.rerun()  # begins, or ends, the frequent looking
        try:
            sweep = resources.sweeps().get(name)
            definition, trials = sweep.definition, sweep.trials
        except SweepNotFoundError:
            st.rerun()  # deleted elsewhere
        with st.container(border=True, key="sweep_watch"):
            _heading(sweep, definition, trials, workers)
            _progress(definition, trials, workers)
            _workers(workers)
            if trials:
                _figures(definition, trials)
                if any(item.curve for item in trials):
                    _charts(sweep, definition, trials)
                table.view(name, definition, trials)
            elif not lively_at_first:
                views.empty_state("No trial yet", "Start a worker: it trains one after another.")


def _heading(
    sweep: Sweep,
    definition: SweepDefinition,
    trials: list[TrialRecord],
    workers: list[WorkerProcess],
) -> None:
    searched = ", ".join(fields.title(item.name) for item in definition.fields)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        views.heading(
            views.plain(searched),
            f" on {views.plain(definition.dataset)} {_badge(definition, trials, workers)}",
            width="stretch",
        )
        wish = _buttons(sweep, definition, trials, workers)
    if wish is not None:
        # Not a callback: in a fragment, what a callback says would replace the page's title.
        with views.guarded():
            wish()
            st.rerun()


def _badge(
    definition: SweepDefinition, trials: list[TrialRecord], workers: list[WorkerProcess]
) -> str:
    alive = [worker for worker in workers if worker.is_alive]
    if alive and all(worker.stop_asked for worker in alive):
        return ":orange-badge[:material/hourglass_bottom: Stopping]"
    if alive or any(item.phase is TrialPhase.RUNNING for item in trials):
        return ":blue-badge[:material/play_arrow: Working]"
    if _num_ended(trials) >= definition.num_trials:
        return ":green-badge[:material/check: Done]"
    return ":gray-badge[:material/pause: No worker]"


def _buttons(
    sweep: Sweep,
    definition: SweepDefinition,
    trials: list[TrialRecord],
    workers: list[WorkerProcess],
) -> Callable[[], object] | None:
    """The buttons that make sense now; gives what the one pressed asks for."""
    wish: Callable[[], object] | None = None
    home, alive = resources.home(), [worker for worker in workers if worker.is_alive]
    if _num_ended(trials) < definition.num_trials:
        word = "Add a worker" if alive else "Start a worker"
        help = "One more training at a time, in a process of its own."
        if st.button(word, key="sweep_add", icon=":material/person_add:", help=help):
            wish = partial(processes.start, sweep.store, sweep.name, home)
    working = [worker for worker in alive if not worker.stop_asked]
    if working:
        help = "At the next batch. The trials are continued when a worker is started again."
        if st.button("Stop", key="sweep_stop", icon=":material/stop:", help=help):
            wish = partial(_stop, working)
    with st.popover("More trials", icon=":material/add:"):
        more = st.number_input("How many more", 1, 1000, 10, key="sweep_more")
        if st.button("Add them", key="sweep_extend", width="stretch"):
            wish = partial(sweep.extend, int(more))
    if not alive and st.button("Delete", key="sweep_delete", icon=":material/delete:"):
        st.session_state[_ASKED] = sweep.name
        st.rerun()
    return wish


def _stop(workers: list[WorkerProcess]) -> None:
    for worker in workers:
        processes.stop(resources.home(), worker)


@st.dialog("Delete this sweep?", icon=":material/delete:")
def _confirm_delete(name: str) -> None:
    st.markdown(
        f"What **{views.plain(name)}** searched and found is forgotten for good. Its runs stay: "
        "they are on the page of the runs."
    )
    views.keep_or_delete(_delete, name, key="sweep_delete")


def _delete(name: str) -> None:
    with views.guarded():
        steer.forget()
        processes.delete(resources.sweeps(), name, resources.home())


def _progress(
    definition: SweepDefinition, trials: list[TrialRecord], workers: list[WorkerProcess]
) -> None:
    ended, total = _num_ended(trials), definition.num_trials
    parts = [f"{ended} of {total} trials"]
    for phase, word in (
        (TrialPhase.RUNNING, "running"),
        (TrialPhase.PRUNED, "pruned"),
        (TrialPhase.FAILED, "failed"),
        (TrialPhase.WAITING, "interrupted"),
    ):
        number = sum(item.phase is phase for item in trials)
        if number:
            parts.append(f"{number} {word}")
    alive = sum(worker.is_alive for worker in workers)
    seconds = [_seconds(item) for item in trials if item.phase in _ENDED]
    if alive and seconds and ended < total:
        left = (total - ended) * sum(seconds) / len(seconds) / alive
        parts.append(f"about {views.duration(left)} left")
    text = " · ".join(parts)
    if alive and not trials:
        text = "The workers load Keras and the images"
    st.progress(min(1.0, ended / total), text=f":shimmer[{text}]" if alive else text)


def _workers(workers: list[WorkerProcess]) -> None:
    if not workers:
        return
    home = resources.home()
    broken = [worker for worker in workers if not worker.is_alive]
    for worker in broken:
        st.error(
            f"Worker {worker.pid} ended before its work did. Its last words are below; its trial "
            "is continued when a worker is started again.",
            icon=":material/error:",
        )
    with st.expander(
        f"Workers on this computer ({len(workers)})",
        icon=":material/terminal:",
        expanded=bool(broken),
        key="sweep_workers_box",
    ):
        for worker in workers:
            word = "ended" if not worker.is_alive else "stopping" if worker.stop_asked else "works"
            st.caption(f"Worker {worker.pid} {word}")
            log = processes.log_tail(home, worker, _LOG_LINES)
            if log:
                st.code(log, language=None, height=200 if log.count("\n") > 7 else "content")


def _figures(definition: SweepDefinition, trials: list[TrialRecord]) -> None:
    winner = best(definition, trials)
    with st.grid(4, min_column_width=130, gap="small", key="sweep_figures"):
        value = "—" if winner is None or winner.value is None else _shown(winner.value, definition)
        st.metric(
            f"Best {fields.choice('monitor', definition.metric).lower()}",
            value,
            help="Of the best epoch of the best trial. Chosen among many, it is a little too good: "
            "the test split, which took no part in the choice, says how good it is.",
        )
        st.metric("In trial", "—" if winner is None else str(winner.number))
        st.metric("Trials ended", f"{_num_ended(trials)} / {definition.num_trials}")
        st.metric("Time of all trials", views.duration(sum(map(_seconds, trials))))


def _charts(sweep: Sweep, definition: SweepDefinition, trials: list[TrialRecord]) -> None:
    words = charts.text(trials, definition)
    unit = charts.metric_title(definition)
    overview, by_setting, lines = st.tabs(["Progress", "By setting", "All settings"])
    with overview, st.grid(2, min_column_width=280, gap="medium"):
        with st.container(gap="xxsmall"):
            st.markdown(f":small[**{unit}, by trial**]")
            if _num_ended(trials):
                figure = charts.history(trials, definition)
                st.plotly_chart(figure, config=CONFIG, key="sweep_history", alt=words)
            else:
                views.empty_state("No trial has ended yet", "Each becomes a dot here.")
        with st.container(gap="xxsmall"):
            st.markdown(f":small[**{unit}, by epoch**]")
            figure = charts.curves(trials, definition)
            st.plotly_chart(figure, config=CONFIG, key="sweep_curves", alt=words)
    finished = [item for item in trials if item.value is not None]
    with by_setting:
        if not finished:
            views.empty_state("Nothing to compare yet", "It begins with the first finished trial.")
        else:
            # Last of what is at once in sight: the first time it takes a second or two.
            with st.spinner("Working out which settings matter"):
                ended = tuple(item.ended for item in finished)
                shares = resources.importances(sweep.name, ended)
            _by_setting(shares, definition, trials, words)
    with lines:
        if len(finished) < 2:
            views.empty_state("Nothing to compare yet", "It takes two finished trials.")
        else:
            st.caption(
                "Each line is a trial, from one setting to the next and to its score; the more "
                "golden, the better."
            )
            figure = charts.parallel(trials, definition)
            st.plotly_chart(figure, config=CONFIG, key="sweep_parallel", alt=words)


def _by_setting(
    shares: dict[str, float], definition: SweepDefinition, trials: list[TrialRecord], words: str
) -> None:
    if shares:
        st.markdown(":small[**What explains the difference between good trials and others**]")
        alt = "Importance: " + ", ".join(
            f"{fields.title(name)} {views.percent(share, 0)}" for name, share in shares.items()
        )
        st.plotly_chart(charts.importance(shares), config=CONFIG, key="sweep_importance", alt=alt)
    else:
        st.caption("Which settings matter is told once four trials have finished.")
    with st.grid(3, min_column_width=240, gap="medium", key="sweep_slices"):
        for item in definition.fields:
            figure = charts.slices(trials, definition, item)
            st.plotly_chart(figure, config=CONFIG, key=f"sweep_slice_{item.name}", alt=words)
    # Faint on any ground, dark or light: not "darker".
    st.caption(f"{charts.metric_title(definition)}; the later a trial, the stronger its colour.")


def _num_ended(trials: list[TrialRecord]) -> int:
    return sum(item.phase in _ENDED for item in trials)


def _seconds(item: TrialRecord) -> float:
    if item.started is None:
        return 0.0
    end = datetime.fromisoformat(item.ended) if item.ended else datetime.now()
    return max(0.0, (end - datetime.fromisoformat(item.started)).total_seconds())


def _shown(value: float, definition: SweepDefinition) -> str:
    return f"{value:.4f}" if definition.metric == "val_loss" else views.percent(value)
