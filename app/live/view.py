"""The parts of the live page: the question before, the video, what is said of it.

Importing streamlit-webrtc takes a second: only the live page imports this module.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
import streamlit_webrtc

from app import resources, views
from app.camera import OBSTACLES, camera
from app.charts import CONFIG
from app.face_words import phrase
from app.live import chart, trouble
from app.live.consent import PROMISE, PROMISE_HELP, STOP, Purpose, may_start
from app.live.ice import ice_servers, rtc_configuration
from app.live.processor import LiveProcessor, Status
from app.live.session import LiveSession, live_session
from app.recognition import RecognitionSettings

KEY = "live_stream"

_MOST_FACES = 3
_MOST_PEOPLE = 6
_CONSTRAINTS: dict[str, Any] = {
    "video": {
        "width": {"ideal": 640},
        "height": {"ideal": 480},
        "frameRate": {"ideal": 30, "max": 30},
    },
    "audio": False,
}
_VIDEO: dict[str, Any] = {
    "autoPlay": True,
    "controls": False,
    "muted": True,
    "style": {"width": "100%", "borderRadius": "10px", "backgroundColor": "#000"},
}


def is_active() -> bool:
    """Whether this tab's video runs, begins or is about to be cleared away."""
    context = st.session_state.get(KEY)
    if context is None:
        return False
    return bool(
        context.state.playing or context.state.signalling or context.video_processor is not None
    )


def gate() -> bool:
    """What has to be said before the video may start.

    Returns:
        Whether it may.
    """
    live = live_session()
    found = camera("live_camera")
    if found in OBSTACLES:
        trouble.no_camera(found)
        return False
    with views.card("Before you start", "verified_user", key="live_gate"):
        purposes = list(Purpose)
        live.purpose = st.selectbox(
            "What is it for?",
            purposes,
            index=None if live.purpose is None else purposes.index(live.purpose),
            placeholder="Choose a purpose",
            key="live_purpose",
        )
        prohibited = live.purpose is not None and live.purpose.prohibited
        if prohibited:
            st.error(STOP, icon=":material/gavel:")
        promised = st.checkbox(PROMISE, key="live_promise", help=PROMISE_HELP, disabled=prohibited)
    return may_start(live.purpose, promised)


def stage(settings: RecognitionSettings) -> None:
    """The video with what can be done with it, and what is said of the faces."""
    live = live_session()
    live.use(resources.recognizer(settings, small_faces=False), settings)
    configuration = rtc_configuration(ice_servers())
    left, right = st.columns([3, 2], gap="medium")
    with left:
        context = streamlit_webrtc.webrtc_streamer(
            KEY,
            rtc_configuration=configuration,
            media_stream_constraints=_CONSTRAINTS,
            video_processor_factory=live.start,
            video_html_attrs=_VIDEO,
            translations=trouble.TRANSLATIONS,
            on_change=_changed,
        )
        active = context.state.playing or context.state.signalling
        if active:
            st.fragment(_controls)(live)
    with right:
        if active:
            st.fragment(_panel, run_every=1.0)(live)
        else:
            trouble.before_start()


def last_session() -> None:
    """What is left of a session that is over."""
    processor = live_session().processor
    if processor is None or not len(processor.timeline):
        return
    status = processor.status()
    with views.card("Your last session", "history", key="live_last"):
        st.markdown(
            f"{views.duration(status.seconds)}, {status.reading.analysed:,} frames looked at. Kept "
            "in memory until you forget it, start again or close this tab."
        )
        with st.container(horizontal=True, gap="small"):
            _downloads(processor)
            st.button(
                "Forget",
                key="live_forget",
                icon=":material/delete:",
                on_click=live_session().forget,
            )


def _changed() -> None:
    state = st.session_state[KEY].state
    live_session().changed(bool(state.playing or state.signalling))


def _controls(live: LiveSession) -> None:
    """Pause, snapshot, timeline."""
    processor = live.processor
    if processor is None:
        return
    paused = processor.status().paused
    with st.container(horizontal=True, gap="small", key="live_controls"):
        st.button(
            "Go on" if paused else "Pause",
            key="live_pause",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            on_click=processor.pause,
            args=(not paused,),
        )
        _downloads(processor)


def _downloads(processor: LiveProcessor) -> None:
    st.download_button(
        "Snapshot",
        processor.snapshot,
        "live-snapshot.png",
        "image/png",
        key="live_snapshot",
        icon=":material/photo_camera:",
        help="The picture as it is shown, with its marks, as PNG.",
        on_click="ignore",
    )
    st.download_button(
        "Timeline",
        processor.timeline.to_csv,
        "live-timeline.csv",
        "text/csv",
        key="live_timeline",
        icon=":material/table:",
        help="Up to five samples a second, one row for each face, as CSV.",
        on_click="ignore",
    )


def _panel(live: LiveSession) -> None:
    """What is said of the faces, the pace and the last minute; drawn anew each second."""
    processor = live.processor
    status = None if processor is None else processor.status()
    if trouble.of_stream(live, status) or processor is None or status is None:
        return
    _faces(status)
    _pace(status)
    recent = processor.timeline.series(since=status.seconds - chart.SPAN)
    series = recent[_person(list(recent), status)] if recent else chart.NOBODY
    st.plotly_chart(
        chart.last_minute(series, status.seconds),
        config=CONFIG,
        key="live_chart",
        alt=chart.last_minute_text(series),
    )


def _person(tracks: list[int], status: Status) -> int:
    """Whose last minute is shown.

    Until one is chosen it is who is in the picture; of several, or if nobody is,
    the one seen most often.
    """
    if len(tracks) == 1:
        return tracks[0]
    in_view = {face.track for face in status.faces}
    usual = next((track for track in tracks if track in in_view), tracks[0])
    chosen = st.pills(
        "Whose last minute",
        sorted(tracks[:_MOST_PEOPLE]),
        key="live_person",
        format_func=lambda track: f"Person {track}",
    )
    if chosen in tracks:
        return chosen
    st.caption(f"Person {usual}, until you choose another.")
    return usual


def _faces(status: Status) -> None:
    """A line for each face."""
    several = len(status.faces) > 1
    lines = []
    for face in status.faces[:_MOST_FACES]:
        flags = "".join(
            f" :orange-badge[{flag.value.replace('_', ' ')}]" for flag in face.smoothed.quality
        )
        number = f":gray[{face.track} ·] " if several else ""
        lines.append(f"{number}**{phrase(face.smoothed)}**{flags}")
    if len(status.faces) > _MOST_FACES:
        lines.append(f":gray[and {len(status.faces) - _MOST_FACES} more]")
    lines = lines or [":gray[No face found]"]
    if status.paused:
        lines[0] += " :gray-badge[:material/pause: Paused]"
    st.markdown("  \n".join(lines))


def _pace(status: Status) -> None:
    reading = status.reading
    passed = reading.analysed + reading.dropped
    figures: list[tuple[str, str, str]] = [
        ("Frames a second", f"{reading.rate:.0f}", "Frames in which faces were looked for."),
        (
            "Delay",
            _ms(reading.delay),
            "Half of the frames take less, from their arrival at FER Lab until the picture that "
            "shows their result leaves for the browser.",
        ),
        ("Delay, 95 %", _ms(reading.delay_p95), "Nineteen frames in twenty take less."),
        (
            "Dropped, in all",
            views.percent(reading.dropped / passed) if passed else "—",
            f"{reading.dropped:,} of {reading.received:,} frames gave way to a newer one.",
        ),
    ]
    with st.grid(2, min_column_width=130, gap="small", key="live_pace"):
        for label, value, help_text in figures:
            st.metric(label, value, help=help_text)


def _ms(seconds: float | None) -> str:
    return "—" if seconds is None else f"{1000 * seconds:.0f} ms"
