import os
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.recognition.video.reading import Frame, VideoReader
from tests.videos import pan, write_video

CORNERS = np.zeros((240, 320, 3), np.uint8)
CORNERS[:120, :160], CORNERS[:120, 160:], CORNERS[120:, :160] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
)


def frames(path: Path) -> tuple[VideoReader, list[Frame]]:
    with VideoReader(path) as reader:
        return reader, list(reader.frames())


def corner_colors(image: np.ndarray) -> list[str]:
    """Which colour is strongest in the four corners, row by row."""
    height, width = image.shape[:2]
    places = [(20, 20), (20, width - 20), (height - 20, 20), (height - 20, width - 20)]
    return ["rgb"[image[at].argmax()] if image[at].max() > 60 else "-" for at in places]


@pytest.mark.parametrize(
    ("name", "codec", "audio"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", None),
        ("a.webm", "libvpx", "libopus"),
        ("a.avi", "mpeg4", "pcm_s16le"),
        ("a.mkv", "libx264", "libopus"),
        ("wrong-name.avi", "libx264", None),
    ],
)
def test_all_frames_of_every_container(
    tmp_path: Path, name: str, codec: str, audio: str | None
) -> None:
    path = write_video(tmp_path / name, 30, codec=codec, audio=audio)
    if name == "wrong-name.avi":
        write_video(tmp_path / "b.mkv", 30).replace(path)
    reader, found = frames(path)
    assert [round(1000 * frame.time) for frame in found] == [40 * i for i in range(30)]
    assert (reader.info.width, reader.info.height) == (320, 240)
    assert reader.info.frame_rate == 25
    assert (reader.info.audio is None) == (audio is None)
    assert reader.info.duration == pytest.approx(1.2, abs=0.05)
    assert reader.end == pytest.approx(1.2, abs=0.01)
    assert reader.notes() == ()
    for index in (0, 29):
        assert np.abs(found[index].image().astype(int) - pan(30)[index]).mean() < 8


def test_variable_frame_rate_keeps_the_times_of_the_container(tmp_path: Path) -> None:
    times = [0, 40, 80, 500, 1700, 1717, 1733, 3000]
    for name in ("a.mp4", "a.mkv"):
        _, found = frames(write_video(tmp_path / name, len(times), times=times))
        assert [round(1000 * frame.time) for frame in found] == times


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, "rgb-"), (90, "g-rb"), (180, "-bgr"), (-90, "brr-")]
)
def test_rotation_is_applied(tmp_path: Path, degrees: int, expected: str) -> None:
    path = write_video(tmp_path / "a.mp4", [CORNERS] * 3, rotation=degrees)
    reader, found = frames(path)
    image = found[0].image()
    assert image.shape[:2] == (reader.info.height, reader.info.width)
    assert image.shape[:2] == ((320, 240) if degrees in (90, -90) else (240, 320))
    turned = np.rot90(CORNERS, degrees // 90)
    assert corner_colors(image) == corner_colors(turned)
    assert image.flags.c_contiguous


def test_mirrored_picture_is_mirrored_back(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.set_display_rotation(90, hflip=True)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(CORNERS, "rgb24")))
        output.mux(stream.encode(None))
    _, (frame,) = frames(path)
    assert corner_colors(frame.image()) == corner_colors(np.rot90(CORNERS)[:, ::-1])


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        output.mux(stream.encode(av.VideoFrame.from_ndarray(CORNERS, "rgb24")))
        output.mux(stream.encode(None))
    reader, (frame,) = frames(path)
    assert frame.image().shape == (240, 640, 3)
    assert (reader.info.width, reader.info.height) == (640, 240)


def test_times_begin_with_the_file_whatever_its_clock_says(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", 10, times=[5000 + 40 * i for i in range(10)])
    _, found = frames(path)
    assert [round(1000 * frame.time) for frame in found] == [40 * i for i in range(10)]


def test_picture_that_begins_after_the_sound_keeps_its_place(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 5, audio="aac", times=[400 + 40 * i for i in range(5)])
    _, found = frames(path)
    assert found[0].time == pytest.approx(0.4, abs=0.03)


def test_truncated_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    options = {"movflags": "+faststart"}
    path = write_video(tmp_path / "a.mp4", 100, codec="mpeg4", options=options)
    os.truncate(path, path.stat().st_size // 2)
    reader, found = frames(path)
    assert 10 < len(found) < 90
    (note, *_) = reader.notes()
    assert "of the 4.0 s that the file announces" in note
    assert reader.info.duration == pytest.approx(4.0)


def test_damage_in_the_middle_is_counted_and_passed_over(tmp_path: Path) -> None:
    # Every picture of this codec stands alone, so that others are not drawn into its ruin.
    path = write_video(tmp_path / "a.avi", 50, codec="mjpeg")
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xd8", len(data) // 2)
    data[start : start + 700] = bytes(700)
    path.write_bytes(data)
    reader, found = frames(path)
    assert 47 <= len(found) < 50
    assert found[-1].time == pytest.approx(1.96)
    assert reader.damages >= 1
    assert "could not be decoded" in reader.notes()[-1]
