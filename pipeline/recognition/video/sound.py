"""The sound of a video, carried over into its marked copy."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import OutputContainer

# What MP4 holds and every browser plays; copied as it is. The rest becomes AAC.
_COPIED = ("aac", "mp3")
_MOST_CHANNELS = 2
# AAC knows only certain rates; browsers and FFmpeg agree on this one.
_RATE = 48_000


class SoundTrack:
    """Writes the packets of one file's sound into another file.

    Args:
        source: The sound to carry over.
        target: Where to; the stream is added to it.
        origin: What is taken off the times, in seconds.
    """

    def __init__(self, source: av.AudioStream, target: OutputContainer, origin: float) -> None:
        self._source = source
        self._target = target
        self._origin = origin
        self._last = -(2**63)
        self._encoder: av.AudioStream | None = None
        self._copy: av.AudioStream | None = None
        if source.codec_context.name in _COPIED:
            self._copy = target.add_stream_from_template(source)
        else:
            self._encoder = target.add_stream("aac", rate=_RATE)
            channels = source.codec_context.layout.nb_channels
            self._encoder.layout = "mono" if channels < _MOST_CHANNELS else "stereo"

    def write(self, packet: av.Packet) -> None:
        """Takes the next packet; what is damaged is left out."""
        if self._copy is not None:
            self._pass_on(packet, self._copy)
        elif self._encoder is not None:
            try:
                frames = self._source.decode(packet)
            except av.FFmpegError:
                return  # silence in its place
            for frame in frames:
                self._encode(frame, self._encoder)

    def close(self) -> None:
        """Writes what is still held back."""
        if self._encoder is not None:
            self._target.mux(self._encoder.encode(None))

    def _pass_on(self, packet: av.Packet, stream: av.AudioStream) -> None:
        # The end of a stream comes as an empty packet; a file's times must rise.
        if packet.dts is None or packet.time_base is None:
            return
        shift = round(Fraction(self._origin) / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        if packet.dts <= self._last:
            return
        self._last = packet.dts
        packet.stream = stream
        self._target.mux_one(packet)

    def _encode(self, frame: av.AudioFrame, stream: av.AudioStream) -> None:
        if frame.pts is None or frame.time_base is None:
            return
        frame.pts -= round(Fraction(self._origin) / frame.time_base)
        if frame.pts <= self._last:
            return
        self._last = frame.pts
        self._target.mux(stream.encode(frame))
