"""What the benchmarks share: timing in turns, the model to use, a clip, a server of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
import requests
import skimage.data

from pipeline.errors import ModelLoadError
from pipeline.home import PROJECT_ROOT, Home
from pipeline.recognition.catalog import ModelCatalog, ModelEntry

RESULT = "→ "
"""How a line begins that `bench.results` also puts into its table."""

_STARTING_SECONDS = 60
_CLIP_SIZE = (640, 480)
_CLIP_RATE = 30


def conclude(text: str) -> None:
    """Prints what a benchmark comes to, in one sentence."""
    print(RESULT + text)


@dataclass(frozen=True)
class Times:
    """Of one way, call by call, in milliseconds; processor time is that of all threads."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The usual wall time."""
        return median(self.wall)


def in_turns(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, calls: int = 1, warm_up: int = 1
) -> dict[str, Times]:
    """Times ways of doing one thing; whatever else the machine does meets all alike.

    Args:
        ways: What to call, by name.
        rounds: How often each has its turn.
        calls: Of a turn.
        warm_up: Calls of each before the first round, which do not count.
    """
    times = {name: Times() for name in ways}
    for call in ways.values():
        for _ in range(warm_up):
            call()
    for _ in range(rounds):
        for name, call in ways.items():
            for _ in range(calls):
                began, began_cpu = time.perf_counter(), time.process_time()
                call()
                times[name].wall.append(1e3 * (time.perf_counter() - began))
                times[name].cpu.append(1e3 * (time.process_time() - began_cpu))
    return times


def model_entry(name: str | None = None) -> ModelEntry:
    """The model of that name, as `python -m pipeline evaluate` takes it, else the active one.

    Raises:
        ModelLoadError: If there is none.
    """
    catalog = ModelCatalog(Home.from_environment())
    entry = catalog.resolve(name) if name else catalog.active()
    if entry is None:
        raise ModelLoadError("there is no model yet: train one, or name one")
    return entry


@contextmanager
def clip(given: Path | None) -> Iterator[Path]:
    """The clip that was given, else one of ten seconds, made of a portrait that moves about.

    It is as a webcam sees a person: one face, a third of the picture high.
    """
    if given is not None:
        yield given
        return
    portrait = skimage.data.astronaut()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portrait.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=_CLIP_RATE, options={"preset": "veryfast"})
            stream.width, stream.height = _CLIP_SIZE
            stream.pix_fmt = "yuv420p"
            for index in range(10 * _CLIP_RATE):
                angle = 2 * np.pi * index / (10 * _CLIP_RATE)
                left, top = round(50 + 40 * np.sin(angle)), round(30 + 20 * np.sin(2 * angle))
                view = portrait[top : top + 270, left : left + 360]
                picture = cv2.resize(view, _CLIP_SIZE, interpolation=cv2.INTER_LINEAR)
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, _CLIP_RATE)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        yield path


@dataclass(frozen=True)
class Dashboard:
    """A server that runs for a benchmark.

    Attributes:
        url: Where it answers.
        pid: Its process.
        answered: Seconds from its start to its first answer.
        ready: Seconds from its start until its model was loaded.
    """

    url: str
    pid: int
    answered: float
    ready: float


@contextmanager
def dashboard() -> Iterator[Dashboard]:
    """A server of this home on a free port, for as long as it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    options = {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"],
            cwd=PROJECT_ROOT,
            env={**os.environ, **options},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(f"{url}/_stcore/health", began)
            answered = time.monotonic() - began
            _wait_for(f"{url}/readyz", began)
            yield Dashboard(url, process.pid, answered, time.monotonic() - began)
        finally:
            process.terminate()
            process.wait(15)


def _wait_for(url: str, began: float) -> None:
    reason = "no answer"
    while time.monotonic() - began < _STARTING_SECONDS:
        try:
            response = requests.get(url, timeout=30)
        except requests.ConnectionError:
            time.sleep(0.01)
            continue
        if response.ok:
            return
        reason = response.text
        break
    raise SystemExit(f"the server is not ready: {reason}")
