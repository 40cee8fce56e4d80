"""The parts of the photo page: where pictures come from, which one is shown, what to keep."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path, PurePath

import streamlit as st

from app import face_words, resources, reveal, views
from app.camera import OBSTACLES, camera, show_obstacle
from app.messages import APOLOGY, describe
from app.photo import face
from app.photo.desk import PhotoDesk, PhotoResult, annotated_png, annotated_zip, to_json, to_table
from app.photo.session import photos
from app.recognition import RecognitionSettings
from pipeline.errors import ImageFormatError
from pipeline.recognition.recognizer import Recognizer

FILES, CAMERA = "Files", "Camera"

_SOURCE_TITLES = {FILES: ":material/upload: Files", CAMERA: ":material/photo_camera: Camera"}
_MOST_MEGABYTES = 100
_MOST_HEIGHT = 620
_LEAST_WIDTH = 400
_MANY = 10
_MANY_UNREADABLE = 3
_LONGEST_NAME = 24
# From so many faces on a picture gets the whole width.
_GROUP = 4

# To import scikit-image for it would take half a second.
_EXAMPLE = Path(
    str(metadata.distribution("scikit-image").locate_file("skimage/data/astronaut.png"))
)


def sources() -> None:
    """Where pictures come from: files, the camera, or the example."""
    desk = photos()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        source = st.segmented_control(
            "Pictures from",
            (FILES, CAMERA),
            default=FILES,
            required=True,
            key="photo_source",
            label_visibility="collapsed",
            format_func=_SOURCE_TITLES.__getitem__,
        )
        st.button(
            "Try an example",
            key="photo_example",
            icon=":material/person:",
            type="primary" if not desk.photos else "secondary",
            help="Eileen Collins, a NASA astronaut; the picture comes with scikit-image.",
            on_click=add_example,
        )
    key = f"photo_{source}_{desk.batches}"
    if source == CAMERA:
        _camera(desk, key)
    else:
        st.file_uploader(
            "Photos, as many at once as you like",
            accept_multiple_files=True,
            key=key,
            max_upload_size=_MOST_MEGABYTES,
            on_change=_add_uploads,
            args=(desk, key),
        )


def _camera(desk: PhotoDesk, key: str) -> None:
    """The camera, or what stands in its way: Streamlit's own field says the same of everything."""
    found = camera("photo_camera")
    if found in OBSTACLES:
        show_obstacle(found)
        return
    # Only drawn when asked for: the browser asks for the camera as soon as it is there.
    st.camera_input(
        "Take a picture",
        key=key,
        resolution="720p",
        width=480,
        on_change=_add_snapshot,
        args=(desk, key),
    )


def recognized(settings: RecognitionSettings) -> tuple[Recognizer, list[PhotoResult]]:
    """All photos with what was found in them; shows how far it is while it works."""
    desk = photos()
    place = st.container()  # always there: else what follows would move, and lose the focus
    with place, st.spinner("Loading the model"):
        recognizer = resources.recognizer(settings)
    key = (recognizer.classifier, settings)
    pending = desk.pending(key)
    if pending:
        bar = place.progress(0.0)
        for number, photo in enumerate(pending):
            of = f" ({number + 1} of {len(pending)})" if len(pending) > 1 else ""
            bar.progress(
                number / len(pending),
                f":shimmer[Looking for faces in {views.plain(photo.name)}]{of}",
            )
            desk.result(photo, recognizer, key)
        bar.empty()
    return recognizer, [desk.result(photo, recognizer, key) for photo in desk.photos]


def unreadable(results: Sequence[PhotoResult]) -> None:
    """One line for each file that could not be read, with the reason; of many, one for all."""
    reasons = {
        result.photo.id: views.plain(describe(ImageFormatError(result.found.error)) or APOLOGY)
        for result in results
        if result.found.error is not None
    }
    if len(reasons) > _MANY_UNREADABLE:
        lines = "".join(f"\n- {reason}" for reason in reasons.values())
        with views.shelf(True, height=240, key="photo_unreadable"):
            st.error(
                f"{len(reasons)} files could not be read:{lines}", icon=":material/broken_image:"
            )
        st.button(
            "Remove them",
            key="photo_remove_unreadable",
            type="tertiary",
            icon=":material/close:",
            on_click=_remove_all,
            args=(list(reasons),),
        )
        return
    for result in results:
        if result.photo.id not in reasons:
            continue
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                st.error(reasons[result.photo.id], icon=":material/broken_image:")
            _remove_button(result)


def board(results: Sequence[PhotoResult], recognizer: Recognizer) -> None:
    """The photos that could be read, the one in front at large, its faces and what to keep."""
    desk = photos()
    readable = [result for result in results if result.found.error is None]
    if not readable:
        return
    # Of files that came together the first that can be read is in front.
    front = next((n for n, result in enumerate(results) if result.photo is desk.chosen), 0)
    shown = next(
        result for result in (*results[front:], *results[:front]) if result.found.error is None
    )
    _picker(readable, shown)
    if len(shown.predictions) >= _GROUP:
        _picture(shown)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if len(shown.predictions) < _GROUP:
            _picture(shown)
    if not shown.predictions:
        with right:
            _no_face()
        _downloads(shown, results)
        return
    index = desk.face_of(shown)
    with left:
        face.gallery(shown, index)
        _downloads(shown, results)
    with right:
        face.scores(shown, index)
    face.reasons(shown, index, recognizer)


def _picker(results: Sequence[PhotoResult], chosen: PhotoResult) -> None:
    """All photos, small, to choose the one to look at."""
    if len(results) < 2:
        return
    desk = photos()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        faces = sum(len(result.predictions) for result in results)
        st.caption(f"{len(results)} photos, {faces} faces", width="stretch")
        st.button(
            "Remove all",
            key="photo_remove_all",
            type="tertiary",
            icon=":material/close:",
            on_click=desk.clear,
        )
    with (
        views.shelf(len(results) > _MANY, height=420, key="photo_picker"),
        st.grid("auto", min_column_width=150, gap="small"),
    ):
        for result in results:
            with st.container(gap="xxsmall"):
                st.image(result.thumbnail, width="stretch", alt=_alt(result))
                st.button(
                    _short(result.photo.name),
                    key=f"photo_choose_{result.photo.id}",
                    icon=views.chosen_icon(result is chosen),
                    width="stretch",
                    help=f"{views.plain(result.photo.name)}: {_number(result)}",
                    on_click=_choose,
                    args=(result.photo.id,),
                )


def _picture(result: PhotoResult) -> None:
    """The photo with its faces marked."""
    width = shown_width(result.width, result.height)
    with st.container(key=_shown_key(result.photo.id)):
        st.image(result.preview, width=width, alt=_alt(result))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(
                f"{_short(result.photo.name)} · {result.width} × {result.height} pixels · "
                f"{_number(result)}",
                width="stretch",
            )
            _remove_button(result)


def shown_width(width: int, height: int) -> int:
    """How wide a photo is shown: not higher than a screen, and one of a few pixels enlarged.

    Args:
        width: Of the photo, pixels.
        height: Likewise.

    Returns:
        Pixels, 1 or more.
    """
    as_high_as_allowed = round(_MOST_HEIGHT * width / height)
    return max(1, min(as_high_as_allowed, max(width, _LEAST_WIDTH)))


def _no_face() -> None:
    """What to try when there is no face."""
    st.info("**No face found.**", icon=":material/person_search:")
    st.markdown(
        "What may help:\n"
        "- a picture in which the face is larger, brighter, or turned to the camera;\n"
        "- a lower confidence in the settings, which finds more faces;\n"
        "- the detector “None”, if the picture is a face and nothing else."
    )


def _downloads(shown: PhotoResult, results: Sequence[PhotoResult]) -> None:
    """What can be kept: the marked picture, and the scores of all photos."""
    several = len(results) > 1
    scope = f"all {len(results)} files" if several else "this photo"
    stem = PurePath(shown.photo.name).stem
    with st.container(horizontal=True, gap="small", key="photo_downloads"):
        st.download_button(
            "Marked picture",
            partial(annotated_png, shown),
            f"{stem}-faces.png",
            "image/png",
            icon=":material/download:",
            help="This photo in full size with its faces marked, as PNG; a tiny one is enlarged.",
            on_click="ignore",
        )
        if several:
            st.download_button(
                "All pictures",
                partial(annotated_zip, results),
                "faces.zip",
                "application/zip",
                icon=":material/folder_zip:",
                help="All photos in full size with their faces marked, as PNG in one archive.",
                on_click="ignore",
            )
        st.download_button(
            "JSON",
            partial(to_json, results),
            "faces.json",
            "application/json",
            icon=":material/data_object:",
            help=f"Every face of {scope}, as `python -m pipeline recognize --json` prints it.",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            partial(to_table, results),
            "faces.csv",
            "text/csv",
            icon=":material/table:",
            help=f"One row for each face of {scope}.",
            on_click="ignore",
        )


def _remove_button(result: PhotoResult) -> None:
    st.button(
        "Remove",
        key=f"photo_remove_{result.photo.id}",
        type="tertiary",
        icon=":material/close:",
        help=f"Forget {views.plain(result.photo.name)}",
        on_click=photos().remove,
        args=(result.photo.id,),
    )


def _choose(photo_id: str) -> None:
    photos().choose(photo_id)
    reveal.ask(_shown_key(photo_id))


def _shown_key(photo_id: str) -> str:
    # The photo before is still on the page while this one is drawn.
    return f"photo_shown_{photo_id}"


def _remove_all(photo_ids: Sequence[str]) -> None:
    for photo_id in photo_ids:
        photos().remove(photo_id)


def _add_uploads(desk: PhotoDesk, key: str) -> None:
    twins = desk.add([(file.name, file.getvalue()) for file in st.session_state[key]])
    for name, known in twins:
        if name != known:
            st.toast(f"{views.plain(name)} is the same picture as {views.plain(known)}.")


def _add_snapshot(desk: PhotoDesk, key: str) -> None:
    snapshot = st.session_state[key]
    if snapshot is not None:
        desk.add([(f"snapshot-{desk.batches + 1}.jpg", snapshot.getvalue())])


def add_example() -> None:
    """Puts the example in front, as if it was uploaded; a callback."""
    photos().add([(_EXAMPLE.name, _EXAMPLE.read_bytes())])


def _alt(result: PhotoResult) -> str:
    says = [face_words.phrase(prediction) for prediction in result.predictions]
    return f"{result.photo.name}: {_number(result)}. " + ". ".join(says)


def _number(result: PhotoResult) -> str:
    number = len(result.predictions)
    return f"{number} faces" if number > 1 else "1 face" if number else "no face found"


def _short(name: str) -> str:
    """A long file name without its middle; the ends tell files of a series apart."""
    if len(name) <= _LONGEST_NAME:
        return views.plain(name)
    half = _LONGEST_NAME // 2
    return views.plain(f"{name[:half]}…{name[-half + 1 :]}")
