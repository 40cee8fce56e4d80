"""How fast live video is: frames a second, delay, drops and memory.

    python -m bench.live [CLIP] [--model RUN] [--minutes 0.5]

The clip, by default a portrait that moves about, is played again and again at
30 frames a second and 640×480 through the track of streamlit-webrtc that the
live page uses, in this process: decoding, detection, scoring and drawing as in
service, without browser and network. Of each ten seconds a line goes to the
standard error; what they come to is printed at the end. The delay is
from the moment a frame enters the track to the moment the picture that shows
its result leaves it.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import av
import psutil
from aiortc import MediaStreamTrack
from streamlit_webrtc.process import AsyncVideoProcessTrack

from app.live.meter import DELAY_SECONDS, Reading
from app.live.processor import LiveProcessor
from app.live.session import LiveSession
from app.recognition import RecognitionSettings
from bench.common import clip, conclude, model_entry
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer

RATE = 30
CLOCK = 90_000
SIZE = (640, 480)


@dataclass(frozen=True)
class Interval:
    """Figures of about ten seconds; delays in ms, memory in MB at its end, `dropped` a share."""

    ends: float
    rate: float
    delay: float
    delay_p95: float
    dropped: float
    processor: float
    memory: float


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
    settings = RecognitionSettings()
    live = LiveSession()
    detector = make_detector(settings.detector, small_faces=False)
    live.use(Recognizer(EmotionClassifier.load(model_entry(model).folder), detector), settings)
    return live.start()


async def play(clip: Clip, live: LiveProcessor, seconds: float) -> list[Interval]:
    """Plays the clip; the figures of each ten seconds, which it also shows as they come."""
    track = AsyncVideoProcessTrack(track=clip, processor=live)
    process = psutil.Process()
    process.cpu_percent()
    began = last = time.monotonic()
    before, intervals = Reading(), []
    while time.monotonic() - began < seconds:
        await track.recv()
        now = time.monotonic()
        if now - last < DELAY_SECONDS:
            continue
        reading = live.status().reading
        interval = Interval(
            ends=now - began,
            rate=(reading.analysed - before.analysed) / (now - last),
            delay=1000 * (reading.delay or 0),
            delay_p95=1000 * (reading.delay_p95 or 0),
            dropped=(reading.dropped - before.dropped) / (reading.received - before.received),
            processor=process.cpu_percent(),
            memory=process.memory_info().rss / 1e6,
        )
        print(interval, file=sys.stderr, flush=True)
        intervals.append(interval)
        last, before = now, reading
    track.stop()
    return intervals


def summarise(intervals: list[Interval]) -> None:
    """Prints what is usual and what was worst, and the memory on its way."""
    for title, unit, pick in (
        ("frames/s looked at", "", lambda interval: interval.rate),
        ("delay, median", "ms", lambda interval: interval.delay),
        ("delay, 95 %", "ms", lambda interval: interval.delay_p95),
        ("frames passed over", "%", lambda interval: 100 * interval.dropped),
        ("processor", "% of a core", lambda interval: interval.processor),
    ):
        values = [pick(interval) for interval in intervals]
        print(
            f"{title:20s} median {statistics.median(values):6.1f}, from {min(values):6.1f} to "
            f"{max(values):6.1f} {unit}".rstrip()
        )
    step = max(1, len(intervals) // 5)
    shown = [intervals[0], *intervals[step - 1 :: step]]
    way = dict.fromkeys(f"{each.memory:.0f} after {each.ends:.0f} s" for each in shown)
    print(f"{'memory':20s} MB: {', '.join(way)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--model")
    parser.add_argument("--minutes", type=float, default=0.5)
    options = parser.parse_args()
    live = processor(options.model)
    with clip(options.clip) as path:
        camera = Clip(path)
    intervals = asyncio.run(play(camera, live, 60 * options.minutes + 0.5))
    if not intervals:
        raise SystemExit(f"the figures are of {DELAY_SECONDS:g} s each: play for longer")
    summarise(intervals)
    print(f"{'timeline':20s} {len(live.timeline)} samples")
    rate = statistics.median(interval.rate for interval in intervals)
    delay = statistics.median(interval.delay for interval in intervals)
    worst = statistics.median(interval.delay_p95 for interval in intervals)
    grown = intervals[-1].memory - intervals[0].memory
    conclude(
        f"{rate:.1f} frames/s of {RATE}, delay {delay:.0f} ms (95 %: {worst:.0f} ms), memory "
        f"{grown:+.0f} MB from {intervals[0].ends:.0f} s to {intervals[-1].ends:.0f} s"
    )


if __name__ == "__main__":
    main()
