"""Video files as a stream of upright pictures with their times.

A frame is decoded when it is asked for and forgotten after, so that a file of
any length takes the same memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from pipeline.errors import VideoFormatError
from pipeline.recognition.video.opening import (
    Layout,
    decode,
    open_file,
    packets,
    picture_stream,
    probe,
    sound_stream,
)

# Of a file that does not say: what most have.
_USUAL_RATE = Fraction(25)
# The times of damaged files leap; a leap of more than a day is not believed.
_LONGEST_STEP = 86_400.0
# How far a file may end before its announced end; containers round, and sound may be longer.
_SHORT_BY = 0.05
_SHORT_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class Frame:
    """A decoded frame; its pixels are converted only when asked for.

    Attributes:
        time: In seconds from the beginning of the file.
        raw: What FFmpeg gave.
        layout: Of all frames of the file.
        converter: Of the reader, for all its frames: it keeps tables and buffers.
        shrinker: Likewise, for thumbnails.
    """

    time: float
    raw: av.VideoFrame
    layout: Layout
    converter: VideoReformatter
    shrinker: VideoReformatter

    def image(self) -> npt.NDArray[np.uint8]:
        """The picture, as the camera meant it: upright, in square pixels.

        Returns:
            `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`, contiguous.

        Raises:
            VideoFormatError: If the pixels cannot be converted.
        """
        pixels = self._converted(self.converter, self.layout.width, self.layout.height)
        return np.ascontiguousarray(_upright(pixels, self.layout.matrix))

    def thumbnail(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        """The picture in a few pixels, each the mean of its part; as stored, not turned upright.

        Args:
            width: In pixels, the same for all frames of a reader.
            height: Likewise.

        Returns:
            `uint8` RGB in `[0, 255]`, shape `(height, width, 3)`.

        Raises:
            VideoFormatError: If the pixels cannot be converted.
        """
        return self._converted(self.shrinker, width, height, Interpolation.AREA)

    def _converted(
        self,
        converter: VideoReformatter,
        width: int,
        height: int,
        interpolation: Interpolation | None = None,
    ) -> npt.NDArray[np.uint8]:
        try:
            rgb = converter.reformat(
                self.raw, width, height, "rgb24", interpolation=interpolation, threads=1
            )
            return np.asarray(rgb.to_ndarray(), np.uint8)
        except (av.FFmpegError, ValueError) as error:
            raise VideoFormatError(f"a frame cannot be converted: {error}") from error


class VideoReader:
    """An open video file; a context manager, for one thread and one pass.

    Args:
        path: The file.

    Attributes:
        info: What the file says of itself.
        damages: How many parts could not be decoded so far.
        end: Where the last frame so far ends, in seconds.

    Raises:
        VideoFormatError: If the file cannot be read, is no video, or its
            picture is too large.
    """

    def __init__(self, path: Path) -> None:
        self.info, self._layout = probe(path)
        self.damages = 0
        self.end = 0.0
        self._converter, self._shrinker = VideoReformatter(), VideoReformatter()
        self._last: float | None = None
        self._container = open_file(path)
        self._video = picture_stream(self._container, path.name)
        self._origin = max(self._container.start_time or 0, 0) / av.time_base
        self._step = 1 / (self.info.frame_rate or _USUAL_RATE)

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    @property
    def sound(self) -> av.AudioStream | None:
        """The first sound that can be decoded, if there is any."""
        return sound_stream(self._container)

    @property
    def origin(self) -> float:
        """What FFmpeg's times say where the file begins, in seconds."""
        return self._origin

    def frames(self) -> Iterator[Frame]:
        """All frames in order of their time; what cannot be decoded is left out."""
        for item in self._read(self._video):
            if isinstance(item, Frame):
                yield item

    def frames_and_sound(self) -> Iterator[Frame | av.Packet]:
        """As `frames`, with the packets of `sound` between them as they lie in the file."""
        sound = self.sound
        return self._read(self._video) if sound is None else self._read(self._video, sound)

    def notes(self) -> tuple[str, ...]:
        """After the last frame: what is wrong with the file, in sentences."""
        notes = []
        announced = self.info.duration
        if announced is not None and self.end < announced - max(
            _SHORT_SECONDS, _SHORT_BY * announced
        ):
            notes.append(
                f"The picture ends after {self.end:.1f} s of the {announced:.1f} s that the file "
                "announces: it is incomplete, and the results end there."
            )
        if self.damages:
            parts = "One part" if self.damages == 1 else f"{self.damages} parts"
            were = "was" if self.damages == 1 else "were"
            notes.append(f"{parts} of the file could not be decoded and {were} left out.")
        return tuple(notes)

    def _read(self, *streams: av.VideoStream | av.AudioStream) -> Iterator[Frame | av.Packet]:
        for packet in packets(self._container, *streams):
            if packet is None:
                self.damages += 1
            elif packet.stream.index != self._video.index:
                yield packet
            else:
                decoded = decode(self._video, packet)
                if decoded is None:
                    self.damages += 1
                    continue
                for raw in decoded:
                    yield Frame(self._time(raw), raw, self._layout, self._converter, self._shrinker)

    def _time(self, raw: av.VideoFrame) -> float:
        """The frame's time; one that is missing or does not advance is put a step further."""
        stamp = None if raw.pts is None else raw.time - self._origin
        last = self._last
        if last is None:
            time = stamp if stamp is not None and 0 <= stamp <= _LONGEST_STEP else 0.0
        elif stamp is not None and last < stamp <= last + _LONGEST_STEP:
            time = stamp
        else:
            time = last + self._step
        self._last = time
        lasts = float(raw.duration * raw.time_base) if raw.duration and raw.time_base else 0.0
        self.end = time + (lasts or self._step)
        return time


def _upright(
    pixels: npt.NDArray[np.uint8], matrix: tuple[int, int, int, int]
) -> npt.NDArray[np.uint8]:
    a, b, c, d = matrix
    if a == 0:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: b + d, :: a + c]
