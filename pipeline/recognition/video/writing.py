"""The marked copy of a video: boxes and labels drawn in, as an MP4 that browsers play."""

from __future__ import annotations

import bisect
import uuid
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from pipeline.errors import VideoFormatError
from pipeline.progress import Progress, no_progress
from pipeline.recognition.drawing import annotate, caption
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample, VideoAnalysis, clock
from pipeline.recognition.video.reading import Frame, VideoReader
from pipeline.recognition.video.sound import SoundTrack

MOST_SIDE = 1920
"""Of the copy's picture, in pixels: more takes minutes to encode and many browsers struggle."""

# In MP4 times count in parts of a second; this one divides all usual frame rates.
_TIME_BASE = Fraction(1, 90_000)
_ENCODER = {"preset": "veryfast", "crf": "21"}


def write_annotated(
    path: Path, analysis: VideoAnalysis, target: Path, *, progress: Progress = no_progress
) -> None:
    """Writes a copy of a video in which every face carries its box and label.

    Between two samples the boxes move in straight lines and the labels are
    those of the nearer one. Frames keep their times, the sound is kept: AAC and
    MP3 as it is, all other kinds as AAC.

    Args:
        path: The video.
        analysis: What `analyze` found in it.
        target: The new file, H.264 in MP4. It appears once it is complete.
        progress: Told seconds of the video; asks to stop by raising.

    Raises:
        VideoFormatError: If the copy cannot be written.
    """
    aside = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.mp4")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with VideoReader(path) as reader, _create(aside) as output:
            _copy(reader, output, Overlay(analysis.samples), analysis.end, progress)
        aside.replace(target)
    except (av.FFmpegError, OSError) as error:
        raise VideoFormatError(
            f"the marked copy of {path.name} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        if target.parent.is_dir():
            aside.unlink(missing_ok=True)


class Overlay:
    """What to draw at any time, from samples at a few.

    Args:
        samples: In order of time.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._times = [sample.time for sample in samples]
        self._numbered = len({face.track for sample in samples for face in sample.faces}) > 1

    def at(self, time: float) -> list[tuple[Prediction, str]]:
        """The faces at one time with their captions, by rising track id.

        Somebody who was found in only one of the samples around is shown for
        the half of the time between that is nearer to it.

        Args:
            time: In seconds.
        """
        after = bisect.bisect_right(self._times, time)
        if after == 0:
            return []
        before = self._samples[after - 1]
        if after == len(self._samples):
            return [self._captioned(face, face.smoothed.box) for face in before.faces]
        following = self._samples[after]
        share = (time - before.time) / (following.time - before.time)
        earlier = {face.track: face for face in before.faces}
        later = {face.track: face for face in following.faces}
        nearer = earlier if share < 0.5 else later
        return [
            self._captioned(
                nearer[track],
                _between(
                    earlier.get(track, nearer[track]).smoothed.box,
                    later.get(track, nearer[track]).smoothed.box,
                    share,
                ),
            )
            for track in sorted(nearer)
        ]

    def _captioned(self, face: TrackedPrediction, box: Box) -> tuple[Prediction, str]:
        text = caption(face.smoothed)
        return replace(face.smoothed, box=box), f"{face.track} · {text}" if self._numbered else text


def _create(path: Path) -> OutputContainer:
    # The index comes first, so that a player can begin before it has the whole file.
    return av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})


def _copy(
    reader: VideoReader, output: OutputContainer, overlay: Overlay, end: float, progress: Progress
) -> None:
    rate = Fraction(reader.info.frame_rate or 25).limit_denominator(1001)
    picture = output.add_stream("libx264", rate=rate, options=_ENCODER)
    # `annotate` enlarges small pictures: one without faces tells by how much.
    blank = np.zeros((reader.info.height, reader.info.width, 3), np.uint8)
    picture.height, picture.width = _drawn(blank, []).shape[:2]
    picture.pix_fmt = "yuv420p"
    picture.codec_context.time_base = _TIME_BASE
    # An untagged picture is shown in one way by some players and in another by others.
    picture.colorspace, picture.color_range = Colorspace.ITU709, ColorRange.MPEG
    picture.color_primaries, picture.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    source = reader.sound
    sound = None if source is None else SoundTrack(source, output, reader.origin)
    converter = VideoReformatter()
    for item in reader.frames_and_sound():
        if not isinstance(item, Frame):
            if sound is not None:
                sound.write(item)
            continue
        progress(min(item.time, end), end, clock(item.time))
        drawn = _drawn(item.image(), overlay.at(item.time))
        output.mux(picture.encode(_encodable(drawn, item.time, converter)))
    output.mux(picture.encode(None))
    if sound is not None:
        sound.close()


def _drawn(
    image: npt.NDArray[np.uint8], found: Sequence[tuple[Prediction, str]]
) -> npt.NDArray[np.uint8]:
    scale = min(MOST_SIDE / max(image.shape[:2]), 1.0)
    if scale < 1:
        height, width = (max(round(side * scale), 1) for side in image.shape[:2])
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    predictions = [
        replace(prediction, box=_scaled(prediction.box, scale)) for prediction, _ in found
    ]
    drawn = annotate(image, predictions, [text for _, text in found])
    # H.264 with colour at half the resolution takes even sides only.
    height, width = (max(side - side % 2, 2) for side in drawn.shape[:2])
    return np.ascontiguousarray(drawn[:height, :width])


def _encodable(
    image: npt.NDArray[np.uint8], time: float, converter: VideoReformatter
) -> av.VideoFrame:
    frame = converter.reformat(
        av.VideoFrame.from_ndarray(image, "rgb24"),
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
    frame.pts = round(time / _TIME_BASE)
    frame.time_base = _TIME_BASE
    return frame


def _between(one: Box, other: Box, share: float) -> Box:
    pairs = ((one.x, other.x), (one.y, other.y), (one.w, other.w), (one.h, other.h))
    return Box(*(first + share * (second - first) for first, second in pairs))


def _scaled(box: Box, scale: float) -> Box:
    return Box(*(scale * value for value in (box.x, box.y, box.w, box.h)))
