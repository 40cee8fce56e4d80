"""How fast live video is: frames a second, delay, drops and memory.

    python -m bench.live CLIP [--model RUN] [--seconds 30] [--minutes 10]

The clip is played again and again at 30 frames a second and 640×480 through the
track of streamlit-webrtc that the live page uses, in this process: decoding,
detection, scoring and drawing as in service, without browser and network. The
delay is from the moment a frame enters the track to the moment the picture that
shows its result leaves it.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import time
from pathlib import Path

import av
import psutil
from aiortc import MediaStreamTrack
from streamlit_webrtc.process import AsyncVideoProcessTrack

from app.live.meter import DELAY_SECONDS, Reading
from app.live.processor import LiveProcessor
from app.live.session import LiveSession
from app.recognition import RecognitionSettings
from pipeline.errors import ModelLoadError
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer

RATE = 30
CLOCK = 90_000
SIZE = (640, 480)


class Clip(MediaStreamTrack):
    """A clip as a camera: at a steady pace, forever."""

    kind = "video"

    def __init__(self, path: Path) -> None:
        super().__init__()
        with av.open(str(path)) as container:
            self._frames = [
                frame.reformat(*SIZE, format="yuv420p") for frame in container.decode(video=0)
            ]
        self._began = 0.0
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        """The next frame, when it is due."""
        if not self._count:
            self._began = time.monotonic()
        wait = self._began + self._count / RATE - time.monotonic()
        await asyncio.sleep(max(wait, 0.0))
        frame = self._frames[self._count % len(self._frames)]
        frame.pts = self._count * CLOCK // RATE
        frame.time_base = fractions.Fraction(1, CLOCK)
        self._count += 1
        return frame


def processor(model: str | None) -> LiveProcessor:
    catalog = ModelCatalog(Home.from_environment())
    entry = catalog.resolve(model) if model else catalog.active()
    if entry is None:
        raise ModelLoadError("there is no model yet: train one, or name one with --model")
    settings = RecognitionSettings()
    live = LiveSession()
    detector = make_detector(settings.detector, small_faces=False)
    live.use(Recognizer(EmotionClassifier.load(entry.folder), detector), settings)
    return live.start()


async def play(clip: Clip, live: LiveProcessor, seconds: float) -> None:
    """Plays the clip and prints a line of figures for each ten seconds."""
    track = AsyncVideoProcessTrack(track=clip, processor=live)
    process = psutil.Process()
    process.cpu_percent()
    began = last = time.monotonic()
    before, memory = Reading(), []
    while time.monotonic() - began < seconds:
        await track.recv()
        now = time.monotonic()
        if now - last < DELAY_SECONDS:
            continue
        reading = live.status().reading
        memory.append(process.memory_info().rss / 1e6)
        print(
            f"{now - began:5.0f} s  "
            f"{(reading.analysed - before.analysed) / (now - last):5.1f} frames/s  "
            f"delay {1000 * (reading.delay or 0):5.1f} ms, "
            f"95 % {1000 * (reading.delay_p95 or 0):5.1f} ms  "
            f"dropped {reading.dropped - before.dropped:3d} of "
            f"{reading.received - before.received:3d}  "
            f"{process.cpu_percent():4.0f} % of a core  {memory[-1]:6.1f} MB",
            flush=True,
        )
        last, before = now, reading
    track.stop()
    print(
        f"{len(live.timeline)} samples, {len(live.timeline.to_csv()) / 1e6:.1f} MB of CSV; "
        f"memory {memory[0]:.1f} MB after 10 s, {memory[-1]:.1f} MB at the end"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--seconds", type=float, default=30.5)
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    seconds = options.seconds if options.minutes is None else 60 * options.minutes + 0.5
    asyncio.run(play(Clip(options.clip), processor(options.model), seconds))


if __name__ == "__main__":
    main()
