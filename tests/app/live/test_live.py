import csv
import io
import socket
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import skimage.data
from aioice import stun

from app.live.chart import NOBODY, last_minute, last_minute_text
from app.live.consent import Purpose, may_start
from app.live.detection import ShrinkingDetector
from app.live.ice import IceServer, ask, ice_servers, local_addresses, rtc_configuration
from app.live.meter import Meter
from app.live.timeline import Series, Timeline
from pipeline.errors import ConfigError
from pipeline.labels import EMOTIONS
from pipeline.recognition.detectors import make_detector
from pipeline.recognition.geometry import Box, iou
from pipeline.recognition.quality import QualityFlag
from pipeline.recognition.recognizer import Prediction
from pipeline.recognition.stream import TrackedPrediction
from pipeline.recognition.video.results import COLUMNS


def seen(track: int, emotion: int = 3, *, raw: int | None = None) -> TrackedPrediction:
    def prediction(index: int) -> Prediction:
        scores = np.full(7, 0.05, np.float32)
        scores[index] = 0.7
        return Prediction(
            box=Box(10.4, 20.0, 30.0, 40.0),
            detection_score=0.9,
            landmarks=np.zeros((5, 2), np.float32),
            probabilities=scores,
            unsure_below=0.4,
            quality=(QualityFlag.DARK, QualityFlag.BLURRED),
            crop=np.ones((48, 48), np.uint8),
        )

    return TrackedPrediction(
        track, prediction(emotion if raw is None else raw), prediction(emotion)
    )


class TestMeter:
    def test_rate_is_of_the_last_seconds(self) -> None:
        meter = Meter()
        for index in range(100):
            meter.received(1, index / 10)
            meter.analysed(index / 10)
        assert meter.read(9.9).rate == pytest.approx(10, abs=0.4)
        assert meter.read(11.5).rate == pytest.approx(5, abs=0.5)
        assert meter.read(60).rate == 0

    def test_rate_is_right_from_the_start(self) -> None:
        meter = Meter()
        for index in range(16):
            meter.received(1, 5 + index / 30)
            meter.analysed(5 + index / 30)
        assert meter.read(5.5).rate == pytest.approx(30, abs=2.1)

    def test_delay_is_of_the_last_seconds(self) -> None:
        meter = Meter()
        meter.shown(0.0, 5.0)
        for index in range(100):
            meter.shown(20 + index, 20 + index + (0.2 if index % 10 == 9 else 0.03))
        reading = meter.read(120)
        assert reading.delay == pytest.approx(0.03)
        assert reading.delay_p95 is not None
        assert 0.03 < reading.delay_p95 <= 0.2
        assert meter.read(1000).delay is None

    def test_memory_is_bounded(self) -> None:
        meter = Meter()
        for index in range(5000):
            meter.analysed(index)
            meter.shown(index, index)
        assert len(meter._finished) < 2000
        assert len(meter._delays) < 2000
        assert meter.read(0).analysed == 5000


class TestTimeline:
    def test_five_samples_a_second_at_most(self) -> None:
        timeline = Timeline()
        for index in range(61):
            timeline.add(index / 30, [seen(1)])
        assert 9 <= len(timeline) <= 11

    def test_memory_is_bounded_and_the_newest_stay(self) -> None:
        timeline = Timeline(most=10)
        for index in range(50):
            timeline.add(float(index), [seen(1)])
        np.testing.assert_array_equal(timeline.series(0)[1].times, np.arange(40, 50))

    def test_a_row_is_small(self) -> None:
        timeline = Timeline()
        timeline.add(0.0, [seen(1)])
        assert sum(row.nbytes for row in timeline._rows) < 200

    def test_csv_has_the_columns_of_the_video_page(self) -> None:
        timeline = Timeline()
        timeline.add(0.5, [seen(1, 3, raw=4), seen(2, 0)])
        timeline.add(0.8, [])
        rows = list(csv.DictReader(io.StringIO(timeline.to_csv())))
        assert tuple(rows[0]) == COLUMNS
        assert [(row["time_ms"], row["track"], row["emotion"]) for row in rows] == [
            ("500", "1", "Happy"),
            ("500", "2", "Angry"),
        ]
        face = seen(1, 3, raw=4).to_dict()
        scores = face.pop("scores")
        for name, value in {**face, **scores, "quality": "blurred dark"}.items():
            assert rows[0][name] == str(value)
        assert rows[0]["raw_sad"] == "0.7"
        assert float(rows[0]["valence"]) == pytest.approx(seen(1).smoothed.valence, abs=1e-4)

    def test_series_of_everyone(self) -> None:
        timeline = Timeline()
        for when, faces in [
            (0.0, [seen(1)]),
            (1.0, [seen(1), seen(2, 0)]),
            (4.0, [seen(1, 5)]),
        ]:
            timeline.add(when, faces)
        recent = timeline.series(since=0.5)
        assert list(recent) == [1, 2]
        np.testing.assert_array_equal(recent[1].times, [1.0, 4.0])
        np.testing.assert_array_equal(recent[1].scores.argmax(axis=1), [3, 5])
        assert recent[1].gaps == (1,)
        assert Timeline().series(0) == {}


class TestChart:
    def test_areas_end_now_and_fall_to_nothing_in_a_gap(self) -> None:
        scores = np.tile(np.eye(7, dtype=np.float32)[3], (4, 1))
        figure = last_minute(Series(np.array([90.0, 91.0, 95.0, 100.0]), scores, (2,)), 100.0)
        assert [trace.name for trace in figure.data] == [emotion.title for emotion in EMOTIONS]
        happy = figure.data[3]
        np.testing.assert_allclose(happy.x, [-10, -9, -9, -5, -5, 0], atol=0.01)
        np.testing.assert_array_equal(happy.y, [100, 100, 0, 0, 100, 100])
        assert tuple(figure.layout.xaxis.range) == (-60, 0)

    def test_without_a_face_it_keeps_its_place(self) -> None:
        assert len(last_minute(NOBODY, 5.0).data) == 7
        assert "No face" in last_minute_text(NOBODY)

    def test_words(self) -> None:
        text = last_minute_text(Series(np.array([0.0]), seen(1).raw.probabilities[None], ()))
        assert "Happy 70 %" in text


class TestConsent:
    @pytest.mark.parametrize("purpose", [Purpose.WORK, Purpose.SCHOOL])
    def test_work_and_school_never_start(self, purpose: Purpose) -> None:
        assert not may_start(purpose, promised=True)

    @pytest.mark.parametrize("purpose", [Purpose.OWN, Purpose.DEMO, Purpose.RESEARCH])
    def test_others_start_once_everyone_was_told(self, purpose: Purpose) -> None:
        assert may_start(purpose, promised=True)
        assert not may_start(purpose, promised=False)

    def test_without_a_purpose_nothing_starts(self) -> None:
        assert not may_start(None, promised=True)


class TestShrinkingDetector:
    def test_boxes_and_landmarks_are_of_the_whole_image(self) -> None:
        image = np.full((960, 1280, 3), 90, np.uint8)
        image[100:868, 200:968] = cv2.resize(skimage.data.astronaut(), (768, 768))
        detector = make_detector(small_faces=False)
        (whole,) = detector.detect(image)
        (found,) = ShrinkingDetector(detector, 416).detect(image)
        assert iou([whole.box], [found.box])[0, 0] > 0.8
        assert whole.landmarks is not None
        assert found.landmarks is not None
        assert np.abs(whole.landmarks - found.landmarks).max() < 0.1 * whole.box.w

    def test_small_images_are_left_as_they_are(self) -> None:
        detector = make_detector(small_faces=False)
        image = skimage.data.astronaut()[:300, :300].copy()
        (whole,) = detector.detect(image)
        (found,) = ShrinkingDetector(detector, 416).detect(image)
        assert found.box == whole.box


class TestIceServers:
    def test_none_by_default_and_that_is_said(self) -> None:
        """A missing list would make streamlit-webrtc ask a public server."""
        assert ice_servers({}) == ()
        assert rtc_configuration(()) == {"iceServers": []}

    def test_addresses(self) -> None:
        found = ice_servers({"FERLAB_ICE_SERVERS": " stun:a.example:3478, stun:b.example "})
        assert [server.urls for server in found] == [("stun:a.example:3478",), ("stun:b.example",)]

    def test_json(self) -> None:
        text = '{"urls": ["turn:t.example:3478"], "username": "u", "credential": "p"}'
        for value in (text, f"[{text}]"):
            found = ice_servers({"FERLAB_ICE_SERVERS": value})
            assert found == (IceServer(("turn:t.example:3478",), "u", "p"),)
        assert rtc_configuration(found)["iceServers"] == [
            {"urls": ["turn:t.example:3478"], "username": "u", "credential": "p"}
        ]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("http://example.org", "http://example.org"),
            ("stun:", "stun:"),
            ("example.org:3478", "example.org:3478"),
            ("stun:a.example:port", "malformed"),
            ("turn:t.example", "without username and credential"),
            ("[{", "not valid JSON"),
            ('[{"username": "u"}]', "without urls"),
            ("[3]", "holds 3"),
            ('[{"urls": [3]}]', "holds 3"),
        ],
    )
    def test_anything_else_is_refused_clearly(self, value: str, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            ice_servers({"FERLAB_ICE_SERVERS": value})
        assert message in str(caught.value)
        assert "FERLAB_ICE_SERVERS" in str(caught.value)
        assert "stun:stun.example.org:3478" in str(caught.value)

    def test_silent_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("aioice.stun.RETRY_MAX", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind((own_address(), 0))
            port = mute.getsockname()[1]
            (answer,) = ask(IceServer((f"stun:{own_address()}:{port}",)))
        assert answer.address is None

    def test_answering_server(self, stun_server: int) -> None:
        (answer,) = ask(IceServer((f"stun:{own_address()}:{stun_server}",)))
        assert answer.address == "203.0.113.7:4242"
        assert answer.seconds < 5


def own_address() -> str:
    addresses = [address for address in local_addresses() if ":" not in address]
    if not addresses:
        pytest.skip("this machine has no network address")
    return addresses[0]


@pytest.fixture
def stun_server() -> Iterator[int]:
    """Tells everyone the same address, once; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((own_address(), 0))
        server.settimeout(10)

        def answer() -> None:
            data, sender = server.recvfrom(2048)
            request = stun.parse_message(data)
            response = stun.Message(
                message_method=request.message_method,
                message_class=stun.Class.RESPONSE,
                transaction_id=request.transaction_id,
            )
            response.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.7", 4242)
            server.sendto(bytes(response), sender)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
