"""Time and memory of a long video file, step by step.

    python -m bench.video MODEL [CLIP] [--minutes 10] [--interval-ms 500]

CLIP is any video with faces, by default a portrait that moves about: it is
brought to 1280×720 at 30 frames/s and repeated to the length asked for. MODEL is
what `python -m pipeline evaluate` takes. The steps run one after the other in
this process; peak memory is its own, with everything it loaded.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from bench.common import clip, conclude, model_entry
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video.analysis import analyze
from pipeline.recognition.video.reading import VideoReader
from pipeline.recognition.video.writing import write_annotated

SIZE = (1280, 720)
RATE = 30
LOOP_SECONDS = 10


def loop_frames(source: Path) -> Iterator[av.VideoFrame]:
    """The clip forwards and over again, as often as it takes."""
    while True:
        with av.open(str(source)) as container:
            for frame in container.decode(video=0):
                yield frame.reformat(*SIZE, "yuv420p")


def write_long(short: Path, target: Path, minutes: float) -> None:
    """Encodes a loop once and repeats its packets: no need to encode ten minutes."""
    loop = target.with_name("loop.mp4")
    with av.open(str(loop), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "bf": "0"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for index, frame in enumerate(itertools.islice(loop_frames(short), RATE * LOOP_SECONDS)):
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as output:
        stream = None
        for number in range(round(60 * minutes / LOOP_SECONDS)):
            with av.open(str(loop)) as source:
                if stream is None:
                    stream = output.add_stream_from_template(source.streams.video[0])
                shift = round(number * LOOP_SECONDS / source.streams.video[0].time_base)
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        output.mux_one(packet)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--interval-ms", type=int, default=500)
    given = parser.parse_args()
    classifier = EmotionClassifier.load(model_entry(given.model).folder)
    recognizer = Recognizer(classifier, make_detector())
    with tempfile.TemporaryDirectory() as scratch:
        path, copy = Path(scratch) / "long.mp4", Path(scratch) / "marked.mp4"
        with clip(given.clip) as short:
            write_long(short, path, given.minutes)
        print(
            f"{given.minutes:g} min of {SIZE[0]}×{SIZE[1]} at {RATE}/s, {path.stat().st_size:,} B"
        )
        print(f"before the first step: peak {peak_megabytes():.0f} MB")

        began = time.perf_counter()
        with VideoReader(path) as reader:
            number = sum(1 for _ in reader.frames())
        decoding = time.perf_counter() - began
        print(f"decoding: {decoding:.1f} s, {1e3 * decoding / number:.2f} ms a frame")

        began = time.perf_counter()
        analysis = analyze(path, recognizer, interval=given.interval_ms / 1000)
        took = time.perf_counter() - began
        sample = (took - decoding) / len(analysis.samples)
        print(
            f"analysis: {took:.1f} s, {len(analysis.samples)} samples, {1e3 * sample:.1f} ms each "
            f"beside decoding ({sample * number / decoding:.1f} decoded frames); "
            f"peak {peak_megabytes():.0f} MB"
        )

        conclude(
            f"{given.minutes:g} min of video take {took:.0f} s, {1e3 * sample:.0f} ms a sample "
            f"beside decoding; peak {peak_megabytes():.0f} MB"
        )

        began = time.perf_counter()
        write_annotated(path, analysis, copy)
        took = time.perf_counter() - began
        print(
            f"marked copy: {took:.1f} s, {1e3 * took / number:.1f} ms a frame, beside decoding "
            f"{(took - decoding) / decoding:.1f} decoded frames; {copy.stat().st_size:,} B; "
            f"peak {peak_megabytes():.0f} MB"
        )


if __name__ == "__main__":
    main()
