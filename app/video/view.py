"""The parts of the video page: where the file comes from, what was found, what to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import resources, reveal, sources, views
from app.charts import CONFIG
from app.recognition import RecognitionSettings
from app.video import charts, marked_copy, shared
from app.video.desk import KIND, VideoResult, number_of_samples, series, video_work
from pipeline.errors import VideoFormatError
from pipeline.labels import EMOTIONS
from pipeline.recognition.video.analysis import TrackSummary, VideoAnalysis, clock
from pipeline.recognition.video.moments import KeyMoment
from pipeline.recognition.video.opening import EXTENSIONS
from pipeline.recognition.video.results import to_csv, to_dict

_INTERVALS = {
    2.0: "Every 2 seconds",
    1.0: "Every second",
    0.5: "Every half second",
    0.2: "5 times a second",
    0.1: "10 times a second",
    0.0: "Every frame",
}
_DEFAULT_INTERVAL = 0.5
_UPLOAD, _PATH = "Upload", "This computer"
_SOURCE_TITLES = {
    _UPLOAD: ":material/upload: Upload",
    _PATH: ":material/folder_open: This computer",
}
_MOST_PERSONS = 12
_BRIEF = 1.0
_MOST_MOMENTS = 12
_JUMP, _JUMPS, _UPLOADS = "video_jump", "video_jumps", "video_uploads"


def source(settings: RecognitionSettings) -> None:
    """Where the video comes from, how often to look, and the button that starts it."""
    busy = resources.jobs().is_running(KIND)
    way = st.segmented_control(
        "Video from",
        (_UPLOAD, _PATH),
        default=_UPLOAD,
        required=True,
        key="video_source",
        label_visibility="collapsed",
        format_func=_SOURCE_TITLES.__getitem__,
    )
    uploaded, path = None, ""
    if way == _UPLOAD:
        uploaded = st.file_uploader(
            "A video",
            type=[name.removeprefix(".") for name in EXTENSIONS],
            key=f"video_upload_{st.session_state.get(_UPLOADS, 0)}",
        )
    else:
        path = st.text_input(
            "Path of a video",
            key="video_path",
            placeholder="~/Videos/clip.mp4",
            help="The file is read where it lies and stays there; for files of any size.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        interval = st.selectbox(
            "Look at the faces",
            list(_INTERVALS),
            index=list(_INTERVALS).index(_DEFAULT_INTERVAL),
            key="video_interval",
            format_func=_INTERVALS.__getitem__,
            width=220,
            help="More often takes longer and catches shorter expressions. In the marked copy the "
            "boxes move smoothly in any case.",
        )
        started = st.button(
            "Analyse",
            key="video_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=busy or (uploaded is None and not path.strip()),
            help="One video at a time: wait for the one before or cancel it." if busy else None,
        )
    if started:
        with views.guarded():
            _begin(uploaded, path, settings, interval)


def board(result: VideoResult, settings: RecognitionSettings) -> None:
    """The finished video: player, persons, moments, timelines and what to keep.

    Args:
        result: The video.
        settings: Those of now, which may be others than it was analysed with.
    """
    analysis = result.analysis
    _header(result, settings)
    for note in analysis.notes:
        st.warning(views.plain(note), icon=":material/warning:")
    tracks = _persons(analysis)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _player(result)
        _downloads(result)
    with right:
        if not tracks:
            _no_face()
            return
        _people(analysis, tracks)
    _moments(result, tracks)
    _timeline(result, tracks)


def _begin(
    uploaded: UploadedFile | None, path: str, settings: RecognitionSettings, interval: float
) -> None:
    desk = shared.desk()
    folder = desk.new_folder()
    try:
        file = _given(path) if uploaded is None else sources.stored(uploaded, Path(folder.name))
        work = video_work(
            desk, file, folder, partial(resources.recognizer, settings), settings, interval
        )
        resources.jobs().start(KIND, f"Video {file.name}", work)
    except Exception:
        folder.cleanup()
        raise
    # An empty uploader frees the server's copy of the file.
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
    st.rerun()


def _given(text: str) -> Path:
    path = sources.path(text)
    if not path.is_file():
        raise VideoFormatError(f"there is no file {path} on this computer")
    return path


def _header(result: VideoResult, settings: RecognitionSettings) -> None:
    info, analysis = result.analysis.info, result.analysis
    facts = [clock(analysis.end), f"{info.width} × {info.height}"]
    if info.frame_rate:
        facts.append(f"{info.frame_rate:.3g} frames/s")
    facts += [number_of_samples(analysis), f"model {views.plain(analysis.model)}"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap="xxsmall"):
            st.header(views.plain(analysis.file), anchor=False)
            st.caption(" · ".join(facts))
            if result.settings != settings:
                st.caption(
                    ":material/info: Made with other settings than those of now, which count for "
                    "the next video."
                )
        st.button(
            "Remove",
            key="video_remove",
            type="tertiary",
            icon=":material/delete:",
            help="Forget these results and delete the marked copy.",
            on_click=shared.desk().clear,
        )


def _player(result: VideoResult) -> None:
    copy = result.copy
    if copy is None:
        return
    # A new place in the page for each jump: the player would not go twice to the same second.
    with st.container(key=_player_key(result.id)):
        jumped = st.session_state.get(_JUMP)
        second = jumped[1] if jumped and jumped[0] == result.id else 0
        st.video(
            marked_copy.address(result, copy),
            start_time=second,
            alt=f"{result.analysis.file} with its faces marked",
        )


def _downloads(result: VideoResult) -> None:
    stem = PurePath(result.analysis.file).stem
    with st.container(horizontal=True, gap="small", key="video_downloads"):
        if result.copy is not None:
            st.link_button(
                "Marked video",
                marked_copy.to_keep(result),
                icon=":material/download:",
                help="The video with its faces marked and its sound, as MP4.",
            )
        st.download_button(
            "JSON",
            partial(_json, result.analysis),
            f"{stem}.json",
            "application/json",
            icon=":material/data_object:",
            help="Everything: persons, moments, and every face of every sample.",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            partial(_csv, result.analysis),
            f"{stem}.csv",
            "text/csv",
            icon=":material/table:",
            help="One row for each face of each sample.",
            on_click="ignore",
        )


def _json(analysis: VideoAnalysis) -> bytes:
    return json.dumps(to_dict(analysis), ensure_ascii=False, allow_nan=False).encode()


def _csv(analysis: VideoAnalysis) -> bytes:
    return to_csv(analysis.samples).encode()


def _no_face() -> None:
    st.info("**No face found** in any of the samples.", icon=":material/person_search:")
    st.markdown(
        "What may help:\n"
        "- looking more often, if faces show only for moments;\n"
        "- a lower confidence in the settings, which finds more faces;\n"
        "- a video in which the faces are larger, brighter, or turned to the camera."
    )


def _persons(analysis: VideoAnalysis) -> list[TrackSummary]:
    """Who is shown: who was there for longest, without brief appearances if there are others."""
    ranked = sorted(analysis.tracks, key=lambda track: -track.seconds)
    lasting = [track for track in ranked if track.seconds >= _BRIEF]
    chosen = (lasting or ranked)[:_MOST_PERSONS]
    return sorted(chosen, key=lambda track: track.track)


def _people(analysis: VideoAnalysis, tracks: Sequence[TrackSummary]) -> None:
    """Who was in view, when, and how their time divides."""
    with views.card("People", "groups", key="video_people"):
        st.plotly_chart(
            charts.time_shares(tracks),
            config=CONFIG,
            key="video_shares",
            alt="Share of time. " + charts.time_shares_text(tracks),
        )
        st.dataframe(
            {
                "Person": [track.track for track in tracks],
                "First seen": [clock(track.first_seen) for track in tracks],
                "Last seen": [clock(track.last_seen) for track in tracks],
                "In view": [views.duration(track.seconds) for track in tracks],
            },
            hide_index=True,
            key="video_people_table",
            alt="When each person was in view, and for how long",
        )
        rest = len(analysis.tracks) - len(tracks)
        more = f" {rest} more, in view for less, are in the files." if rest else ""
        st.caption(
            "Shares of each person's time in view. Who leaves and comes back counts as new, and "
            "so does everyone after a cut." + more
        )


def _moments(result: VideoResult, tracks: Sequence[TrackSummary]) -> None:
    """The clearest moments of the persons shown, each with a button that goes there."""
    shown = {track.track for track in tracks}
    moments = [moment for moment in result.analysis.moments if moment.track in shown]
    clearest = sorted(moments, key=lambda moment: -moment.confidence)[:_MOST_MOMENTS]
    with views.card("Key moments", "star", key="video_moments"):
        if not moments:
            st.caption("Nobody looked other than neutral or unsure for a whole second.")
            return
        with st.grid("auto", min_column_width=112, gap="small"):
            for moment in sorted(clearest, key=lambda moment: (moment.time, moment.track)):
                _moment(result, moment, several=len(result.analysis.tracks) > 1)
        st.caption(
            "Where an expression that lasted for a second or more was at its clearest"
            + (f"; the {_MOST_MOMENTS} clearest." if len(moments) > _MOST_MOMENTS else ".")
        )


def _moment(result: VideoResult, moment: KeyMoment, *, several: bool) -> None:
    who = f"Person {moment.track}"
    says = f"{moment.emotion.title} {100 * moment.confidence:.0f} %"
    with st.container(gap="xxsmall"):
        st.image(moment.thumbnail, width="stretch", alt=f"{who}: {says}")
        st.button(
            clock(moment.time),
            key=f"video_moment_{round(1000 * moment.time)}_{moment.track}",
            icon=":material/play_arrow:",
            width="stretch",
            help=f"{who}: {says}",
            disabled=result.copy is None,
            on_click=_jump,
            args=(result.id, moment.time),
        )
        st.caption(f"{who}  \n{says}" if several else says, text_alignment="center")


def _timeline(result: VideoResult, tracks: Sequence[TrackSummary]) -> None:
    """One person's scores and valence over time; a click goes to that moment."""
    with views.card("Over time", "timeline", key="video_timeline"):
        with st.container(horizontal=True, vertical_alignment="top", gap="small"):
            track = st.selectbox(
                "Person",
                tracks,
                index=max(range(len(tracks)), key=lambda index: tracks[index].seconds),
                key=f"video_person_{result.id}",
                format_func=_person,
                width=340,
            )
            kind = st.segmented_control(
                "Scores",
                ("Smoothed", "Each sample"),
                default="Smoothed",
                required=True,
                key="video_scores",
            )
            shape = st.segmented_control(
                "Shown as", ("Lines", "Areas"), default="Lines", required=True, key="video_shape"
            )
        found = series(result.analysis, track.track)
        key = f"video_chart_{result.id}_{track.track}_{kind}_{shape}"
        st.plotly_chart(
            charts.timeline(
                found.times,
                found.smoothed if kind == "Smoothed" else found.raw,
                found.valence,
                found.gaps,
                end=result.analysis.end,
                stacked=shape == "Areas",
            ),
            config=CONFIG,
            key=key,
            on_select=partial(_clicked, key, result.id),
            selection_mode="points",
            alt=f"Scores over time of {_person(track)}; "
            f"valence {views.signed(track.valence, 2)} on average",
        )
        st.caption(
            "A click on a line goes to that moment in the video. Below: valence, how pleasant the "
            "expression looks, derived from the seven scores; "
            f"{views.signed(track.valence, 2)} on average."
        )


def _person(track: TrackSummary) -> str:
    top = max(range(len(EMOTIONS)), key=lambda index: track.shares[index])
    mostly = "unsure" if track.unsure >= track.shares[top] else EMOTIONS[top].title.lower()
    seen = f"{clock(track.first_seen)} to {clock(track.last_seen)}"
    return f"Person {track.track} · {seen} · mostly {mostly}"


def _clicked(key: str, result_id: int) -> None:
    points = st.session_state[key].selection.points
    if points:
        _jump(result_id, charts.seconds_at(points[0]["x"]))


def _jump(result_id: int, time: float) -> None:
    # Players start at whole seconds; a little before the moment is where one wants to be.
    st.session_state[_JUMP] = (result_id, int(time))
    st.session_state[_JUMPS] = st.session_state.get(_JUMPS, 0) + 1
    reveal.ask(_player_key(result_id))


def _player_key(result_id: int) -> str:
    return f"video_player_{result_id}_{st.session_state.get(_JUMPS, 0)}"
