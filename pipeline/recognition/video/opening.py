"""Opens video files with FFmpeg (PyAV) and finds out what they hold, or why not."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType

from pipeline.errors import VideoFormatError

EXTENSIONS = (".mp4", ".m4v", ".mov", ".webm", ".avi", ".mkv")
"""File names that the interface offers; the content decides what a file is."""

MAX_PIXELS = 7680 * 4320
"""Larger pictures are refused before they are decoded: one of them takes 100 MB."""

# FFmpeg decodes a little to find out what a file holds. Up to here it may, so that a picture too
# large is told from a damaged one.
_PROBED_PIXELS = 4 * MAX_PIXELS

# It also knows formats that open other files or addresses (playlists), and still images.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"
_KNOWN = "MP4, MOV, WebM, MKV or AVI"


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        width: Of the upright picture in square pixels.
        height: Of the upright picture in square pixels.
        duration: In seconds; `None` if the file does not say.
        frame_rate: Frames per second on average; `None` if the file does not say.
        codec: How the picture is encoded, by FFmpeg's name.
        audio: How the sound is encoded; `None` if there is none.
    """

    width: int
    height: int
    duration: float | None
    frame_rate: float | None
    codec: str
    audio: str | None


@dataclass(frozen=True)
class Layout:
    """What it takes to show a decoded frame as the camera meant it.

    Attributes:
        width: Before turning, in square pixels.
        height: Before turning, in square pixels.
        matrix: How the picture is turned and mirrored: `(a, b, c, d)`, each -1,
            0 or 1; the pixel at `(x, y)` belongs at `(a·x + c·y, b·x + d·y)`,
            up to a shift.
    """

    width: int
    height: int
    matrix: tuple[int, int, int, int]

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after turning."""
        is_turned = self.matrix[0] == 0
        return (self.height, self.width) if is_turned else (self.width, self.height)


def open_file(path: Path) -> InputContainer:
    """Opens a file of one of the known formats, which opens no other.

    Raises:
        VideoFormatError: If it cannot be read or is no video.
    """
    try:
        if not path.stat().st_size:
            raise VideoFormatError(f"{path.name}: the file is empty; expected a video")
        return av.open(
            str(path),
            mode="r",
            # A name is not always UTF-8, and of the metadata nothing is used.
            metadata_errors="replace",
            options={
                "format_whitelist": _FORMATS,
                "protocol_whitelist": "file",
                "max_pixels": str(_PROBED_PIXELS),
            },
        )
    except av.FFmpegError as error:
        raise VideoFormatError(_not_a_video(path, error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise VideoFormatError(f"{path.name}: the file cannot be read ({reason})") from error


def _not_a_video(path: Path, error: av.FFmpegError) -> str:
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
        return f"{path.name}: the file cannot be read ({error.strerror})"
    with path.open("rb") as file:
        is_mp4 = file.read(8)[4:] == b"ftyp"
    if is_mp4 or isinstance(error, EOFError) or error.errno == errno.EIO:
        return (
            f"{path.name}: the file is cut off or damaged, so that no picture can be found in it; "
            "copy or download it again"
        )
    return f"{path.name}: not a video, or damaged at its beginning; expected {_KNOWN}"


def picture_stream(container: InputContainer, name: str) -> av.VideoStream:
    """The first picture that moves; the cover of a song does not.

    Raises:
        VideoFormatError: If there is none that can be decoded.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        held = "only sound" if container.streams.audio else "no picture"
        raise VideoFormatError(f"{name}: the file holds {held}; expected a video")
    stream = streams[0]
    if stream.codec_context is None:
        raise VideoFormatError(f"{name}: its kind of video is unknown here; convert it to MP4")
    # Frames are worked on one after the other, so the second core may decode ahead.
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def sound_stream(container: InputContainer) -> av.AudioStream | None:
    """The first sound that can be decoded, if there is any."""
    usable = (stream for stream in container.streams.audio if stream.codec_context is not None)
    return next(usable, None)


def probe(path: Path) -> tuple[VideoInfo, Layout]:
    """Decodes the first frame, which alone knows how the picture is turned.

    Raises:
        VideoFormatError: As `open_file` and `picture_stream` do, and if no frame
            can be decoded or the picture is too large.
    """
    with open_file(path) as container:
        stream = picture_stream(container, path.name)
        if stream.width * stream.height > MAX_PIXELS:
            raise VideoFormatError(_too_large(path.name, stream.width, stream.height))
        raw = _first_frame(container, stream)
        if raw is None:
            raise VideoFormatError(
                f"{path.name}: not one frame can be decoded; the file is damaged, cut off, or its "
                f"picture larger than {MAX_PIXELS:,} pixels"
            )
        size = _square_pixels(raw.width, raw.height, stream.sample_aspect_ratio)
        layout = Layout(*size, _display_matrix(raw))
        width, height = layout.upright_size
        if width * height > MAX_PIXELS:
            raise VideoFormatError(_too_large(path.name, width, height))
        sound = sound_stream(container)
        rate = stream.average_rate or stream.guessed_rate
        return VideoInfo(
            width=width,
            height=height,
            duration=_duration(container, stream),
            frame_rate=float(rate) if rate else None,
            codec=stream.codec_context.name,
            audio=sound.codec_context.name if sound else None,
        ), layout


def _first_frame(container: InputContainer, stream: av.VideoStream) -> av.VideoFrame | None:
    for packet in packets(container, stream):
        decoded = None if packet is None else decode(stream, packet)
        if decoded:
            return decoded[0]
    return None


def packets(
    container: InputContainer, *streams: av.VideoStream | av.AudioStream
) -> Iterator[av.Packet | None]:
    """The encoded parts of a file; `None` comes last if the rest cannot be found."""
    demuxed = container.demux(*streams)
    while True:
        try:
            packet = next(demuxed, None)
        except av.FFmpegError:
            yield None
            return
        if packet is None:
            return
        yield packet


def decode(stream: av.VideoStream, packet: av.Packet) -> list[av.VideoFrame] | None:
    """The frames that a packet completes; `None` if it is damaged."""
    try:
        return stream.decode(packet)
    except av.error.EOFError:
        return []
    except av.FFmpegError:
        return None


def _duration(container: InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The picture's size once its pixels are square; it only grows."""
    if not aspect or not 1 / 4 <= aspect <= 4:  # damaged
        return width, height
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _too_large(name: str, width: int, height: int) -> str:
    return (
        f"{name}: {width}×{height} pixels are more than the {MAX_PIXELS:,} that are read; make the "
        "picture smaller"
    )


def _display_matrix(raw: av.VideoFrame) -> tuple[int, int, int, int]:
    """See `Layout`. A frame that was asked lives until the garbage is collected."""
    # PyAV's annotation of it is wrong: the keys are of this type.
    side_data = cast("Mapping[SideDataType, Buffer]", raw.side_data)
    data = side_data.get(SideDataType.DISPLAYMATRIX)
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    # Turns between the quarters, which no camera makes, go to the nearest.
    if abs(a) >= abs(b):
        return -1 if a < 0 else 1, 0, 0, -1 if d < 0 else 1
    return 0, -1 if b < 0 else 1, -1 if c < 0 else 1, 0
