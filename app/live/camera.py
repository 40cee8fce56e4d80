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


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("ferlab_camera", js=_SCRIPT)


def _nothing() -> None:
    """Streamlit wants a callback for each state; the rerun is all that is needed."""
