"""Small video files with a real face, written by PyAV in a moment."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import skimage.data

SIZE = (320, 240)
RATE = 25
_TICKS = Fraction(1, 1000)


def pan(number: int) -> list[np.ndarray]:
    """A camera moves along the astronaut: her face goes to the left, a pixel a frame."""
    image = skimage.data.astronaut()
    return [np.ascontiguousarray(image[20:260, 60 + i : 380 + i]) for i in range(number)]


def tone(seconds: float, rate: int = 48_000) -> av.AudioFrame:
    """A loud A of 440 Hz."""
    wave = 12_000 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame


def write_video(
    path: Path,
    frames: Sequence[np.ndarray] | int = 50,
    *,
    codec: str = "libx264",
    audio: str | None = None,
    times: Sequence[int] | None = None,
    rotation: float | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes a video; the name's extension chooses the container.

    Args:
        frames: Pictures of one size, or how many of `pan`.
        times: Of the frames, in milliseconds; by default `RATE` a second.
        rotation: In degrees counter-clockwise, as a phone notes it.
        options: Of the container.
    """
    pictures = pan(frames) if isinstance(frames, int) else frames
    stamps = [1000 * i // RATE for i in range(len(pictures))] if times is None else times
    with av.open(str(path), "w", options=options or {}) as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, RATE) if times is None else _TICKS
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = output.add_stream(audio, rate=48_000, layout="mono") if audio else None
        for picture, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = stamp, _TICKS
            if times is None:
                frame.pts, frame.time_base = stamp * RATE // 1000, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if sound is not None:
            output.mux(sound.encode(tone(len(pictures) / RATE)))
            output.mux(sound.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file with sound only."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le" if path.suffix == ".wav" else "aac", rate=48_000)
        stream.layout = "mono"
        output.mux(stream.encode(tone(1.0)))
        output.mux(stream.encode(None))
    return path
