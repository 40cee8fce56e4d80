"""Why live video does not work, in words, and what to do about it."""

from __future__ import annotations

import streamlit as st
from streamlit_webrtc import Translations

from app import views
from app.camera import OBSTACLES, Camera, show_obstacle
from app.live import ice
from app.live.processor import Status
from app.live.session import LiveSession

CONNECT_SECONDS = 10.0
"""After which a connection that is not there is said to be missing."""

_SILENCE_SECONDS = 4.0

TRANSLATIONS: Translations = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "select_camera": "Choose camera",
    "media_api_not_available": OBSTACLES[Camera.INSECURE][0],
    "device_ask_permission": "Allow the browser to use the camera.",
    "device_not_available": OBSTACLES[Camera.MISSING][0],
    "device_access_denied": OBSTACLES[Camera.DENIED][0],
}
"""What streamlit-webrtc says inside its frame."""

_ERRORS = """\
The browser names its reason above the video:
- **NotAllowedError**: the camera was refused, by you, by a setting of the browser or by the \
system's privacy settings.
- **NotFoundError**: there is no camera, or it is switched off.
- **NotReadableError**: another program has the camera, such as a video call. Close that program.
- **OverconstrainedError**: the chosen camera is gone. Choose another one.
"""

_ROUTE = """\
Video goes straight from the browser to FER Lab. Even on one computer it takes the way over a \
network address, so some network has to be on; the internet is not needed. Firewalls and VPNs may \
be in the way.
"""


def no_camera(found: Camera) -> None:
    """Says why the camera cannot be had, and offers what works without."""
    show_obstacle(found)
    # A snapshot needs the camera too.
    _photo_instead("Use photos from files instead")


def of_stream(live: LiveSession, status: Status | None) -> bool:
    """Says what is wrong with a stream that was started.

    Returns:
        Whether there is nothing else to show.
    """
    if status is None or not status.reading.received:
        if live.waiting < CONNECT_SECONDS:
            st.markdown(":shimmer[Connecting]")
            return True
        st.error(
            f"**No video has arrived for {live.waiting:.0f} seconds.** Browser and FER Lab found "
            "no way to each other. " + _ROUTE + "If they are in different networks, name a STUN "
            f"or TURN server in `{ice.VARIABLE}`; below you can test it.",
            icon=":material/cloud_off:",
        )
        _photo_instead("Take a snapshot instead")
        return True
    if status.error is not None:
        views.show_error(status.error)
        return True
    if status.silence > _SILENCE_SECONDS:
        st.warning(
            f"**No picture for {status.silence:.0f} seconds.** The camera or the connection was "
            "lost, or the browser sleeps. If it does not come back, stop and start again.",
            icon=":material/hourglass_empty:",
        )
    elif status.black:
        st.warning(
            "**The picture is black.** Is the camera covered, or switched off by a key? Is "
            "another program using it? Or choose another camera.",
            icon=":material/videocam_off:",
        )
        _photo_instead("Use a photo instead")
    return False


def before_start() -> None:
    """What to expect, and what may go wrong."""
    st.markdown(
        "**Press Start** under the picture. The browser asks for the camera; the video goes to "
        "FER Lab and comes back with the faces marked."
    )
    with st.expander("It does not start?", icon=":material/help:"):
        st.markdown(_ERRORS)
        st.markdown(_ROUTE)


def connection() -> None:
    """Which servers help to connect, and whether they answer."""
    with (
        st.expander("Connection", icon=":material/lan:", key="live_connection"),
        views.guarded(),
    ):
        servers = ice.ice_servers()
        if servers:
            urls = ", ".join(f"`{url}`" for server in servers for url in server.urls)
            st.markdown(f"Helped by {urls}, from `{ice.VARIABLE}`.")
        else:
            st.markdown(
                "No STUN or TURN server is used, so nothing outside is ever asked. That is right "
                f"on one computer and in one network; for others, set `{ice.VARIABLE}`."
            )
        if st.button("Test connection", key="live_test", icon=":material/network_check:"):
            with st.spinner("Asking"):
                _test(servers)


def _test(servers: tuple[ice.IceServer, ...]) -> None:
    addresses = ice.local_addresses()
    if addresses:
        number = len(addresses)
        st.success(
            f"This computer has {number} network address{'es' if number > 1 else ''} for video.",
            icon=":material/check_circle:",
        )
    else:
        st.error(f"This computer has no network address. {_ROUTE}", icon=":material/cloud_off:")
    for server in servers:
        for answer in ice.ask(server):
            if answer.address is None:
                st.error(
                    f"`{answer.url}` gave no way in, for {answer.seconds:.1f} s: it did not "
                    "answer, or refused the name and password.",
                    icon=":material/error:",
                )
            else:
                st.success(
                    f"`{answer.url}` answered in {1000 * answer.seconds:.0f} ms and offers "
                    f"`{answer.address}`.",
                    icon=":material/check_circle:",
                )


def _photo_instead(label: str) -> None:
    st.page_link("pages/photo.py", label=label, icon=":material/add_a_photo:")
