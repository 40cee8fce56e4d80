import asyncio
import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app.live.analyser import Analyser, Frame
from app.live.processor import LiveProcessor, Setup
from app.live.session import LiveSession
from app.recognition import RecognitionSettings
from pipeline.errors import ModelLoadError
from pipeline.labels import EMOTIONS
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.geometry import Box
from pipeline.recognition.recognizer import Prediction, Recognizer
from tests.served_models import make_model

HAPPY = np.array([0.1, 0.0, 0.0, 0.8, 0.1, 0.0, 0.0], np.float32)
ORANGE = tuple(bytes.fromhex(EMOTIONS[3].color[1:]))  # of happy
PREDICTION = Prediction(
    box=Box(60.0, 60.0, 120.0, 120.0),
    detection_score=0.9,
    landmarks=None,
    probabilities=HAPPY,
    unsure_below=0.4,
    quality=(),
    crop=np.zeros((48, 48), np.uint8),
)


class FakeRecognizer:
    """Finds the same face in every frame, as slowly as it is told."""

    def __init__(self, *predictions: Prediction) -> None:
        self.predictions = list(predictions)
        self.seen = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def recognize(self, image: np.ndarray) -> list[Prediction]:
        self.go_on.wait(10)
        self.seen += 1
        if self.error is not None:
            raise self.error
        return self.predictions


def setup_of(recognizer: Any) -> Setup:
    return Setup(recognizer, time_constant=0.0)


@pytest.fixture
def recognizer() -> Iterator[FakeRecognizer]:
    fake = FakeRecognizer(PREDICTION)
    yield fake
    fake.go_on.set()


@pytest.fixture
def processor(recognizer: FakeRecognizer) -> Iterator[LiveProcessor]:
    live = LiveProcessor(setup_of(recognizer))
    yield live
    live.on_ended()


def frame(shade: int = 90) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((240, 400, 3), shade, np.uint8), format="rgb24")


def push(live: LiveProcessor, *frames: av.VideoFrame) -> np.ndarray:
    """Hands frames over as streamlit-webrtc does and gives the picture that comes back."""
    (picture,) = asyncio.run(live.recv_queued(list(frames)))
    return picture.to_ndarray(format="rgb24")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.005)


def is_marked(picture: np.ndarray) -> bool:
    return bool((picture == ORANGE).all(axis=2).sum() > 200)


def test_frame_comes_back_with_its_own_marks(processor: LiveProcessor) -> None:
    # The very first frame may be a little late on a busy machine.
    push(processor, frame())
    until(lambda: processor.status().reading.analysed == 1)
    picture = push(processor, frame())
    assert picture.shape == (240, 400, 3)
    assert is_marked(picture)
    (face,) = processor.status().faces
    assert (face.track, face.smoothed.emotion.name) == (1, "happy")


def test_video_goes_on_while_a_frame_takes_long(
    processor: LiveProcessor, recognizer: FakeRecognizer
) -> None:
    recognizer.go_on.clear()
    began = time.monotonic()
    for _ in range(5):
        assert not is_marked(push(processor, frame()))
    assert time.monotonic() - began < 2
    # One is looked at, the newest waits, the three between gave way.
    assert processor.status().reading.dropped == 3
    recognizer.go_on.set()
    until(lambda: processor.status().reading.analysed == 2)
    assert recognizer.seen == 2


def test_frames_that_pile_up_are_dropped_and_counted(processor: LiveProcessor) -> None:
    push(processor, frame(), frame(), frame())
    until(lambda: processor.status().reading.analysed == 1)
    reading = processor.status().reading
    assert (reading.received, reading.analysed, reading.dropped) == (3, 1, 2)


def test_every_frame_is_accounted_for(processor: LiveProcessor) -> None:
    for _ in range(20):
        push(processor, frame())
    until(lambda: processor.status().reading.analysed + processor.status().reading.dropped == 20)
    reading = processor.status().reading
    assert reading.received == 20
    assert reading.delay is not None
    assert 0 < reading.delay <= (reading.delay_p95 or 0)


def test_pause_stands_still_and_looks_at_nothing(
    processor: LiveProcessor, recognizer: FakeRecognizer
) -> None:
    push(processor, frame())
    until(lambda: recognizer.seen == 1)
    shown = push(processor, frame(90))
    until(lambda: recognizer.seen == 2)
    processor.pause(True)
    still = push(processor, frame(200))
    np.testing.assert_array_equal(still, shown // 2)
    assert recognizer.seen == 2
    # The snapshot is the picture at its full brightness.
    snapshot = np.asarray(Image.open(io.BytesIO(processor.snapshot())))
    np.testing.assert_array_equal(snapshot, shown)
    processor.pause(False)
    push(processor, frame(200))
    until(lambda: recognizer.seen == 3)
    assert processor.status().reading.received == 3


def test_no_snapshot_before_the_first_frame(processor: LiveProcessor) -> None:
    assert processor.snapshot() == b""
    assert processor.status().seconds == 0


def test_new_settings_reach_a_running_stream_and_persons_keep_their_ids(
    processor: LiveProcessor, recognizer: FakeRecognizer
) -> None:
    push(processor, frame())
    until(lambda: recognizer.seen == 1)
    other = FakeRecognizer(PREDICTION, replace(PREDICTION, box=Box(250.0, 60.0, 100.0, 100.0)))
    processor.use(setup_of(other))
    push(processor, frame())
    until(lambda: other.seen == 1)
    push(processor, frame())
    assert [face.track for face in processor.status().faces] == [1, 2]


def test_error_is_told_once_it_is_over_forgotten(
    processor: LiveProcessor, recognizer: FakeRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer.error = ModelLoadError("the model is gone")
    for _ in range(3):
        assert not is_marked(push(processor, frame()))
        until(lambda: processor.status().error is recognizer.error)
    assert len([record for record in caplog.records if record.exc_info]) == 1
    recognizer.error = None
    push(processor, frame())
    until(lambda: processor.status().error is None)


def test_black_is_noticed_after_a_while_only(recognizer: FakeRecognizer) -> None:
    now = 100.0
    live = LiveProcessor(setup_of(recognizer), clock=lambda: now)
    push(live, frame(3))
    assert not live.status().black
    now += 2.5
    push(live, frame(3))
    assert live.status().black
    push(live, frame(60))
    assert not live.status().black
    now += 7
    assert live.status().silence == pytest.approx(7)
    live.on_ended()


def test_threads_end_with_the_stream(processor: LiveProcessor) -> None:
    push(processor, frame())
    until(lambda: any(thread.name == "live-analyser" for thread in threading.enumerate()))
    processor.on_ended()
    until(lambda: not any(thread.name == "live-analyser" for thread in threading.enumerate()))
    push(processor, frame())  # a late one starts nothing
    assert not any(thread.name == "live-analyser" for thread in threading.enumerate())


def test_abandoned_analyser_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.live.analyser._IDLE_SECONDS", 0.05)
    analyser = Analyser(lambda frame: ())
    image = np.zeros((4, 4, 3), np.uint8)
    for number in (1, 2):  # and wakes up again
        analyser.submit(Frame(number, 0.0, image))
        result = analyser.result(number, 5)
        assert result is not None
        assert result.number == number
        until(lambda: not any(t.name == "live-analyser" for t in threading.enumerate()))


def test_labels_can_be_read_and_never_lie(recognizer: FakeRecognizer) -> None:
    """The figure beside a name stands for a moment; the name changes at once."""
    now = 50.0
    live = LiveProcessor(setup_of(recognizer), clock=lambda: now)

    def show(*scores: float) -> np.ndarray:
        nonlocal now
        now += 0.1
        recognizer.predictions = [replace(PREDICTION, probabilities=np.array(scores, np.float32))]
        seen = recognizer.seen
        push(live, frame())
        until(lambda: recognizer.seen == seen + 1)
        time.sleep(0.2)  # until the answer is drawn, on a busy machine too
        return push(live, frame())[:60]  # the chip is above the face

    first = show(0.1, 0, 0, 0.8, 0.1, 0, 0)
    np.testing.assert_array_equal(show(0.2, 0, 0, 0.7, 0.1, 0, 0), first)
    assert not np.array_equal(show(0.7, 0, 0, 0.2, 0.1, 0, 0), first)
    live.on_ended()


def test_session_shrinks_for_yunet_only_and_keeps_what_is_the_same(tmp_path: Path) -> None:
    classifier = EmotionClassifier.load(make_model(tmp_path / "bars"))
    session = LiveSession()
    yunet, whole = make_detector("yunet", small_faces=False), make_detector("none")
    chosen = RecognitionSettings(unsure_below=0.7, smoothing=1.5)
    session.use(Recognizer(classifier, yunet), chosen)
    first = session.start()._setup
    assert first.time_constant == 1.5
    assert first.recognizer.detector.framing == yunet.framing
    assert first.recognizer.detector is not yunet
    session.use(Recognizer(classifier, yunet), chosen)
    assert session.start()._setup is first
    session.use(Recognizer(classifier, whole), RecognitionSettings(detector="none"))
    assert session.processor is not None
    assert session.processor._setup.recognizer.detector is whole


def test_session_counts_from_the_first_request_until_the_end() -> None:
    now = 10.0
    session = LiveSession(clock=lambda: now)
    assert session.waiting == 0
    session.changed(active=True)
    now = 14.0
    session.changed(active=True)
    assert session.waiting == 4
    session.changed(active=False)
    assert session.waiting == 0
