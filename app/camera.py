"""What the browser says of its camera, before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any

import streamlit as st

# Asks for nothing: it opens no camera, and the browser shows no question.
_SCRIPT = """
export default function ({ setStateValue }) {
  let last, closed = false, permission
  const look = async () => {
    let state = "ready"
    if (!navigator.mediaDevices?.getUserMedia) {
      state = window.isSecureContext ? "unsupported" : "insecure"
    } else if (permission?.state === "denied") {
      state = "denied"
    } else {
      const devices = await navigator.mediaDevices.enumerateDevices()
      if (!devices.some(device => device.kind === "videoinput")) state = "missing"
    }
    if (closed || state === last) return
    last = state
    setStateValue("state", state)
  }
  const start = async () => {
    try {
      permission = await navigator.permissions.query({ name: "camera" })
      permission.addEventListener("change", look)
    } catch {
      // A browser that does not know the question: it will ask when the camera is opened.
    }
    navigator.mediaDevices?.addEventListener("devicechange", look)
    await look()
  }
  start()
  return () => {
    closed = true
    permission?.removeEventListener("change", look)
    navigator.mediaDevices?.removeEventListener("devicechange", look)
  }
}
"""


class Camera(StrEnum):
    """What stands in the way of the camera."""

    UNKNOWN = "unknown"
    READY = "ready"
    INSECURE = "insecure"
    UNSUPPORTED = "unsupported"
    DENIED = "denied"
    MISSING = "missing"


OBSTACLES = {
    Camera.INSECURE: (
        "The browser lends its camera to secure pages only, and this one came over plain http "
        "from an address that is not localhost.",
        "On the computer that runs FER Lab, open it as `http://localhost:…` with the same port. "
        "From another one, put a web server with https in front of it.",
    ),
    Camera.UNSUPPORTED: (
        "This browser cannot open a camera.",
        "Use a current Chrome, Edge, Firefox or Safari.",
    ),
    Camera.DENIED: (
        "The browser was told not to lend this page the camera.",
        "Allow it by the symbol beside the address, and check that your system's privacy settings "
        "let the browser use the camera. This page notices by itself.",
    ),
    Camera.MISSING: (
        "The browser finds no camera.",
        "Plug one in or switch it on; some laptops have a key or a slider for it. This page "
        "notices by itself.",
    ),
}
"""For each state in which the camera cannot be had: why, and what to do."""


def camera(key: str) -> Camera:
    """Asks the browser; unknown until it has answered.

    Args:
        key: Of the component, which is invisible.
    """
    result = _component()(key=key, height=1, on_state_change=_nothing)
    try:
        return Camera(result.get("state") or Camera.UNKNOWN)
    except ValueError:
        return Camera.UNKNOWN  # whatever a browser sends is only a hint


def show_obstacle(found: Camera) -> None:
    """Says why the camera cannot be had, and what to do.

    Args:
        found: One of `OBSTACLES`.
    """
    why, remedy = OBSTACLES[found]
    st.error(f"**{why}** {remedy}", icon=":material/videocam_off:")


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("ferlab_camera", js=_SCRIPT)


def _nothing() -> None:
    """Streamlit wants a callback for each state; the rerun is all that is needed."""
