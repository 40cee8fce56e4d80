from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.progress import Cancelled
from pipeline.recognition.detectors import YuNetDetector
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction, Recognizer
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.analysis import Sample
from pipeline.recognition.video.process import process
from pipeline.recognition.video.reading import VideoReader
from pipeline.recognition.video.writing import MOST_SIDE, Overlay
from tests.pipeline.recognition.conftest import BrightnessClassifier
from tests.videos import pan, write_video


@pytest.fixture
def recognizer(classifier: BrightnessClassifier, yunet: YuNetDetector) -> Recognizer:
    classifier.contract.name = "brightness"
    return Recognizer(classifier, yunet)


def found(track: int, x: float, *, happy: float = 0.9) -> TrackedPrediction:
    probabilities = np.full(7, (1 - happy) / 6, np.float32)
    probabilities[3] = happy
    prediction = Prediction(
        Box(x, 10, 20, 20), 0.9, None, probabilities, 0.0, (), np.zeros((48, 48), np.uint8)
    )
    return TrackedPrediction(track, prediction, prediction)


def read(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with VideoReader(path) as reader:
        frames = list(reader.frames())
    return [frame.time for frame in frames], [frame.image() for frame in frames]


def loudness_at_440(path: Path) -> float:
    """The share of the sound's energy that lies at 440 Hz."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    wave = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    pitch = np.fft.rfftfreq(len(wave), 1 / frames[0].sample_rate)
    return float(spectrum[np.abs(pitch - 440) < 20].sum() / spectrum.sum())


class TestOverlay:
    def test_boxes_move_between_samples(self) -> None:
        overlay = Overlay(
            [Sample(0.0, (found(1, 0.0),)), Sample(1.0, (found(1, 100.0, happy=0.5),))]
        )
        (early,), (late,) = overlay.at(0.25), overlay.at(0.75)
        assert (early[0].box.x, late[0].box.x) == (25.0, 75.0)
        # The label is that of the nearer sample.
        assert (early[1], late[1]) == ("Happy 90 %", "Happy 50 %")

    def test_somebody_in_one_sample_is_shown_for_the_nearer_half(self) -> None:
        overlay = Overlay(
            [
                Sample(0.0, ()),
                Sample(1.0, (found(1, 0.0), found(2, 50.0))),
                Sample(2.0, (found(2, 60.0),)),
            ]
        )
        texts = [[text for _, text in overlay.at(time)] for time in (0.4, 0.6, 1.4, 1.6, 9.0)]
        one, two = "1 · Happy 90 %", "2 · Happy 90 %"
        assert texts == [[], [one, two], [one, two], [two], [two]]
        assert overlay.at(-0.1) == []


def test_copy_has_the_same_frames_with_the_faces_marked(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    times = [0, 40, 300, 340, 900, 1500]
    frames = [np.kron(frame, np.ones((2, 2, 1), np.uint8)) for frame in pan(6)]
    source = write_video(tmp_path / "a.mkv", frames, times=times)
    target = tmp_path / "out" / "b.mp4"
    analysis = process(source, recognizer, annotated=target)
    copied, images = read(target)
    assert [round(1000 * time) for time in copied] == times
    _, originals = read(source)
    for image, original in zip(images, originals, strict=True):
        difference = np.abs(image.astype(int) - original).sum(axis=2)
        # The box around the face differs much, what lies away from it hardly.
        x, y, w, h = analysis.samples[0].faces[0].smoothed.box.rounded()
        assert difference[y - 6 : y + h + 6, x - 12 : x + w + 12].max() > 150
        assert difference[:, 520:].mean() < 12
    assert [path.name for path in target.parent.iterdir()] == ["b.mp4"]


def test_copy_is_what_browsers_play(recognizer: Recognizer, tmp_path: Path) -> None:
    frames = [frame[:221, :301] for frame in pan(10)]
    source = write_video(tmp_path / "a.avi", frames, codec="mjpeg")
    target = tmp_path / "b.mp4"
    process(source, recognizer, annotated=target)
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.width % 2 == stream.height % 2 == 0
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("name", "codec", "audio", "kept"),
    [
        ("a.mp4", "libx264", "aac", "aac"),
        ("a.ts", "libx264", "aac", "aac"),
        ("a.webm", "libvpx", "libopus", "aac"),
        ("a.avi", "mpeg4", "pcm_s16le", "aac"),
        ("b.mp4", "libx264", None, None),
    ],
)
def test_sound_is_kept(
    recognizer: Recognizer, tmp_path: Path, name: str, codec: str, audio: str | None, kept: str
) -> None:
    source = write_video(tmp_path / name, 50, codec=codec, audio=audio)
    target = tmp_path / "marked.mp4"
    process(source, recognizer, annotated=target, interval=2.0)
    with av.open(str(target)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == (
            [kept] if kept else []
        )
        assert container.duration / av.time_base == pytest.approx(2.0, abs=0.1)
    if kept:
        assert loudness_at_440(target) > 0.9


def test_rotated_video_stands_upright_without_help(recognizer: Recognizer, tmp_path: Path) -> None:
    frames = [np.ascontiguousarray(np.rot90(frame)) for frame in pan(5)]
    source = write_video(tmp_path / "a.mp4", frames, rotation=-90)
    target = tmp_path / "b.mp4"
    process(source, recognizer, annotated=target)
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        assert frame.width > frame.height


def test_very_large_picture_is_written_smaller(recognizer: Recognizer, tmp_path: Path) -> None:
    frame = np.kron(pan(1)[0], np.ones((8, 8, 1), np.uint8))
    source = write_video(tmp_path / "a.mp4", [frame], codec="mpeg4")
    target = tmp_path / "b.mp4"
    process(source, recognizer, annotated=target)
    _, (image,) = read(target)
    assert image.shape == (1440, MOST_SIDE, 3)


def test_truncated_video_gives_a_copy_up_to_there(recognizer: Recognizer, tmp_path: Path) -> None:
    options = {"movflags": "+faststart"}
    source = write_video(tmp_path / "a.mp4", 100, codec="mpeg4", options=options)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    target = tmp_path / "b.mp4"
    analysis = process(source, recognizer, annotated=target)
    times, _ = read(target)
    assert times[-1] == pytest.approx(analysis.samples[-1].time, abs=0.01)
    assert "incomplete" in analysis.notes[0]


def test_cancelled_copy_leaves_nothing(recognizer: Recognizer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", 20)
    told: list[tuple[float, float | None]] = []

    def progress(done: float, total: float | None, text: str = "") -> None:
        told.append((done, total))
        if "marked copy" in text and done > 90:
            raise Cancelled

    with pytest.raises(Cancelled):
        process(source, recognizer, annotated=tmp_path / "out" / "b.mp4", progress=progress)
    assert list((tmp_path / "out").iterdir()) == []
    shares = [done for done, total in told if total == 100]
    assert shares == sorted(shares)
    assert shares[0] == 0


def test_copy_that_cannot_be_written_leaves_the_results(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    source = write_video(tmp_path / "a.mp4", 5)
    analysis = process(source, recognizer, annotated=blocked / "b.mp4")
    assert analysis.tracks
    (note,) = analysis.notes
    assert note.startswith("The marked copy of a.mp4 cannot be written: ")
