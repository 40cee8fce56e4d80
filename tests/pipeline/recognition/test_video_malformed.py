"""Files that are no video, or no longer: a clear error each, and no crash."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from pipeline.errors import VideoFormatError
from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.video.analysis import VideoAnalysis, analyze
from tests.pipeline.recognition.conftest import BrightnessClassifier
from tests.videos import write_sound, write_video

Analyze = Callable[[Path], VideoAnalysis]


@pytest.fixture
def analyzed(classifier: BrightnessClassifier, yunet: YuNetDetector) -> Analyze:
    classifier.contract.name = "brightness"
    return lambda path: analyze(path, Recognizer(classifier, yunet))


def picture(kind: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()[:64, :64]).save(content, kind)
    return content.getvalue()


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("clip.mp4", "no video")
    return content.getvalue()


def enlarged_mjpeg(data: bytes, width: int, height: int) -> bytes:
    """Writes other sizes into the AVI's and into every picture's header."""
    start = data.index(b"strf") + 8
    data = data[: start + 4] + struct.pack("<ii", width, height) + data[start + 12 :]
    return data.replace(
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 240, 320),
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width),
    )


def enlarged_vp8(data: bytes) -> bytes:
    """Writes the largest size that VP8 knows into every key frame."""
    size = struct.pack("<HH", 320, 240)
    return data.replace(b"\x9d\x01\x2a" + size, b"\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383))


def malformed(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents; none of them holds a frame that can be decoded."""
    rng = np.random.default_rng(0)
    mp4 = write_video(folder / "whole.mp4").read_bytes()
    fast = write_video(folder / "f.mp4", options={"movflags": "+faststart"}).read_bytes()
    webm = write_video(folder / "whole.webm", codec="libvpx").read_bytes()
    avi = write_video(folder / "whole.avi", codec="mpeg4").read_bytes()
    mjpeg = write_video(folder / "mjpeg.avi", codec="mjpeg").read_bytes()
    mkv = write_video(folder / "whole.mkv").read_bytes()
    yield "empty.mp4", b""
    yield "empty.webm", b""
    yield "one-byte.mp4", b"\x00"
    yield "text.mp4", b"This is no video.\n" * 50
    yield "text.avi", b"a"
    yield "page.mkv", b"<!DOCTYPE html><html><body>Not found</body></html>" * 20
    yield "picture.mp4", picture("PNG")
    yield "picture.mov", picture("JPEG")
    yield "moving-picture.webm", picture("GIF")
    yield "archive.mp4", archive()
    yield "noise.mp4", rng.bytes(100_000)
    yield "noise.avi", b"RIFF" + rng.bytes(50_000)
    yield "zeros.mov", bytes(100_000)
    # What makes FFmpeg open other files and addresses.
    yield "playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n"
    yield "list.mp4", b"ffconcat version 1.0\nfile whole.mp4\n"
    yield "sound.mp4", write_sound(folder / "only.mp4").read_bytes()
    yield "sound.avi", write_sound(folder / "only.wav").read_bytes()
    for percent in (1, 10, 30, 50, 70, 90, 99):
        yield f"cut-{percent}.mp4", mp4[: len(mp4) * percent // 100]
    yield "index-cut.mp4", fast[:600]
    yield "no-index.mp4", mp4.replace(b"moov", b"xxxx")
    yield "no-pictures.mp4", fast[: fast.index(b"mdat") + 4] + bytes(20_000)
    yield "cut.webm", webm[:120]
    yield "header-only.mkv", mkv[: mkv.index(b"\x1f\x43\xb6\x75")]
    yield "cut.avi", avi[:200]
    yield "header-only.avi", avi[: avi.index(b"movi") + 4]
    yield "absurd.avi", enlarged_mjpeg(mjpeg, 60_000, 60_000)
    yield "absurd.webm", enlarged_vp8(webm)
    yield "thin.avi", enlarged_mjpeg(mjpeg, 65_000, 1_000)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, sources = tmp_path_factory.mktemp("malformed"), tmp_path_factory.mktemp("sources")
    written = {}
    for name, content in malformed(sources):
        written[name] = folder / name
        written[name].write_bytes(content)
    return written


def test_each_malformed_file_gets_a_clear_error(analyzed: Analyze, files: dict[str, Path]) -> None:
    assert len(files) >= 30
    for name, path in files.items():
        with pytest.raises(VideoFormatError) as caught:
            analyzed(path)
        message = str(caught.value)
        assert message.startswith(f"{name}: "), message
        assert "\n" not in message
        assert len(message) < 200


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty.mp4", "the file is empty"),
        ("text.mp4", "not a video"),
        ("picture.mov", "not a video"),
        ("playlist.mp4", "not a video"),
        ("sound.mp4", "only sound"),
        ("cut-50.mp4", "cut off"),
        ("no-pictures.mp4", "not one frame"),
        ("header-only.mkv", "cut off"),
        ("absurd.avi", "larger than 33,177,600 pixels"),
    ],
)
def test_error_says_what_is_wrong(
    analyzed: Analyze, files: dict[str, Path], name: str, expected: str
) -> None:
    with pytest.raises(VideoFormatError, match=expected):
        analyzed(files[name])


def test_picture_too_large_is_refused_before_decoding(analyzed: Analyze, tmp_path: Path) -> None:
    path = write_video(tmp_path / "large.mov", [np.zeros((6000, 6000, 3), np.uint8)], codec="mjpeg")
    with pytest.raises(VideoFormatError, match="6000×6000 pixels are more than"):
        analyzed(path)


@pytest.mark.parametrize("name", ["lost.mp4", "folder.mp4"])
def test_what_is_no_file(analyzed: Analyze, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoFormatError, match=f"{name}: the file cannot be read"):
        analyzed(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx")],
)
def test_random_damage_never_crashes(
    analyzed: Analyze, tmp_path: Path, name: str, codec: str
) -> None:
    options = {"movflags": "+faststart"} if name.endswith("mp4") else None
    whole = write_video(tmp_path / name, 30, codec=codec, options=options).read_bytes()
    rng = np.random.default_rng(7)
    for number in range(6):
        damaged = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, len(damaged), 3 + 40 * number)
        damaged[places] = rng.integers(0, 256, len(places), np.uint8)
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(damaged.tobytes())
        try:
            analysis = analyzed(path)
        except VideoFormatError:
            continue
        times = [sample.time for sample in analysis.samples]
        assert times == sorted(set(times))
        assert analysis.end > times[-1] >= 0
