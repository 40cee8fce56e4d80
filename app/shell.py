"""What frames every page: the logo, the sidebar, the running jobs."""

from __future__ import annotations

import math

import streamlit as st

from app import active_dataset, resources, state, views
from app.jobs import JobSnapshot, JobState
from pipeline.errors import PipelineError
from pipeline.labels import EMOTIONS

_PICKER = "active_dataset"
_NOTICED = "jobs_noticed"
_ENDINGS = {
    JobState.DONE: (st.success, ":material/check_circle:"),
    JobState.FAILED: (st.error, ":material/error:"),
    JobState.CANCELLED: (st.info, ":material/cancel:"),
}
# What Streamlit's theme cannot say. Titles of a page's parts (views.heading) take no more room than
# a line of text; what a page is about (st.header), such as an answer, is larger than they are.
# Words in charts are of one grey in both themes, too pale on a light ground and on tinted cells;
# only what is white on a strong colour stays so. Links hardly show that a key has reached them.
# And a theme has one primary colour, on which buttons write in white, and in which the chosen tab
# is written itself: on dark ground no colour does for both. The latter is brought nearer to the
# ground's opposite: white in the dark, black in the light.
# A figure's name breaks rather than end in dots, which on a phone hide what it is a figure of.
# What lies below a part that stays in place while others scroll by needs the colour of the page.
# Rules are nested where they could list their last part in :is(): browsers find a rule by the tag
# or class at its end, and would try one that ends in a list on every element of every chart.
_STYLE = (
    "<style>\n.stApp { --fl-ground: light-dark("
    + ", ".join(str(st.get_option(f"theme.{kind}.backgroundColor")) for kind in ("light", "dark"))
    + """); }
.stApp, .stDialog { .stMarkdown { h2, h3 {
    padding: 0.2rem 0 1.2rem; font-size: 1rem; letter-spacing: normal;
    &:not(:last-child) { padding-bottom: 0; } } } }
.stApp .stHeading h2 { padding: 0.75rem 0 1rem; font-size: 1.25rem; font-weight: 650; }
.stPlotlyChart { .xtick text, .ytick text, .x2tick text, .y2tick text, .xtitle, .ytitle,
    .x2title, .y2title, .bartext-outside, .legendtext, .annotation-text,
    .textpoint text:not([style*="rgb(255, 255, 255)"]) {
    fill: currentColor !important; fill-opacity: 0.8 !important; } }
.stMetric label { .stMarkdownEllipsis, p { white-space: normal; } }
.stApp a:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
:is(.stTabs [role="tab"], .stButtonGroup button):is([data-selected], [data-hovered]) > * {
    color: color-mix(in srgb, currentColor 60%, CanvasText); }
</style>"""
)


def logo(*, with_name: bool = True) -> str:
    """The logo as SVG: a face in a ring of the seven emotions' colours."""
    gap, radius, step = 0.07, 11.0, math.tau / len(EMOTIONS)
    ring = []
    for index, emotion in enumerate(EMOTIONS):
        first, last = index * step + gap - math.pi / 2, (index + 1) * step - gap - math.pi / 2
        ring.append(
            f'<path d="M{16 + radius * math.cos(first):.2f} {16 + radius * math.sin(first):.2f}'
            f"A{radius} {radius} 0 0 1 {16 + radius * math.cos(last):.2f} "
            f'{16 + radius * math.sin(last):.2f}" stroke="{emotion.color}"/>'
        )
    # One ink that reads on light and on dark ground: a picture does not know the theme.
    ink = "#7C84A3"
    # The length is fixed, so that whatever font there is fits the picture.
    name = (
        f'<text x="38" y="22.5" font-family="system-ui, sans-serif" font-size="19" '
        f'font-weight="600" textLength="72" lengthAdjust="spacingAndGlyphs" '
        f'fill="{ink}">FER Lab</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {112 if with_name else 32} 32">'
        f'<g fill="none" stroke-width="3.6">{"".join(ring)}</g>'
        f'<circle cx="12.6" cy="14" r="1.6" fill="{ink}"/>'
        f'<circle cx="19.4" cy="14" r="1.6" fill="{ink}"/>'
        f'<path d="M11.8 18.6q4.2 3.8 8.4 0" fill="none" stroke="{ink}" stroke-width="1.8" '
        f'stroke-linecap="round"/>{name if with_name else ""}</svg>'
    )


def sidebar() -> None:
    """The logo, and which dataset and model all pages work with."""
    st.logo(logo(), size="large", icon_image=logo(with_name=False))
    with st.sidebar:
        with views.guarded():
            _dataset_picker()
        with views.guarded():
            _model_line()
        # Each element costs time: the styles come with the space above the last words.
        st.html(f'{_STYLE}<div style="height: 1rem"></div>')
        st.caption(":material/lock: Everything stays on this computer.")


def job_strip(page: str) -> None:
    """The background jobs, above the page: progress while they run, then how they ended.

    That one ended well stands on the page where it was first seen, until that
    page is left; a failure stays everywhere until it is dismissed.

    Args:
        page: The title of the page below.
    """
    snapshots = resources.jobs().list()
    # What had ended before this visit began is no news to it.
    st.session_state.setdefault(_NOTICED, {job.id: "" for job in snapshots if not job.is_running})
    if not snapshots:
        return
    running = frozenset(job.id for job in snapshots if job.is_running)
    st.fragment(_jobs, run_every=0.5 if running else None)(running, page)


def _jobs(running_at_first: frozenset[int], page: str) -> None:
    runner = resources.jobs()
    snapshots = runner.list()
    for job in snapshots:
        if job.is_running:
            _running(job)
        elif job.state is JobState.FAILED or _is_new(job, page):
            _ended(job)
    if any(job.id in running_at_first and not job.is_running for job in snapshots):
        # The page below was drawn before the job ended: show it what came of it.
        st.rerun()


def _is_new(job: JobSnapshot, page: str) -> bool:
    noticed: dict[int, str] = st.session_state[_NOTICED]
    if noticed.setdefault(job.id, page) != page:
        noticed[job.id] = ""  # not even if that page is opened again
    return noticed[job.id] == page


def _running(job: JobSnapshot) -> None:
    with (
        st.container(border=True, key=f"job_{job.id}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        left = job.seconds_left
        pace = f" · about {views.duration(left)} left" if left is not None else ""
        text = "Stopping" if job.stopping else job.text
        detail = f" :gray[{views.plain(text)}{pace}]" if text or pace else ""
        fraction = job.fraction
        st.progress(
            # A bar of unknown length shows a little, so that it is seen to be one.
            0.02 if fraction is None else fraction,
            text=f":shimmer[**{views.plain(job.title)}**]{detail}",
        )
        st.button(
            "Cancel",
            key=f"cancel_{job.id}",
            icon=":material/close:",
            disabled=job.stopping,
            on_click=resources.jobs().cancel,
            args=(job.id,),
        )


def _ended(job: JobSnapshot) -> None:
    show, icon = _ENDINGS[job.state]
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"job_{job.id}"
    ):
        with st.container(width="stretch"):
            show(f"**{views.plain(job.title)}.** {views.plain(job.message)}", icon=icon)
        st.button(
            "Dismiss",
            key=f"dismiss_{job.id}",
            type="tertiary",
            icon=":material/close:",
            on_click=resources.jobs().dismiss,
            args=(job.id,),
        )


def _dataset_picker() -> None:
    names = resources.datasets().names()
    active = state.active_dataset(resources.home(), resources.datasets())
    if active is None:
        st.markdown(":small[:gray[Dataset]]  \n:gray[None yet]")
        return
    name = ""
    if len(names) > 1:
        # The file is the truth, whatever another tab or a job has written to it since.
        st.session_state[_PICKER] = active
        st.selectbox("Dataset", names, key=_PICKER, on_change=_dataset_picked)
    else:
        name = f":small[:gray[Dataset]]  \n{views.plain(active)}  \n"
    with views.guarded():
        meta = resources.datasets().meta(active)
        badge = f" {views.SYNTHETIC_BADGE}" if meta.synthetic else ""
        st.markdown(f"{name}:small[:gray[{meta.num_samples:,} images]]{badge}")


def _dataset_picked() -> None:
    active_dataset.choose(st.session_state[_PICKER])


def _model_line() -> None:
    entry = resources.models().active()
    if entry is None:
        st.markdown(":small[:gray[Model]]  \n:gray[None yet]")
        return
    badge = ""
    try:
        badge = f" {views.SYNTHETIC_BADGE}" if entry.contract().synthetic else ""
    except PipelineError:
        badge = " :red-badge[Damaged]"
    st.markdown(f":small[:gray[Model]]  \n{views.plain(entry.name)}{badge}")
