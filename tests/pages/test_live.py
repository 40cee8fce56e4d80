import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
import skimage.data
import streamlit as st
import streamlit_webrtc
from streamlit.testing.v1 import AppTest

from app import resources
from app.camera import Camera
from app.live.processor import LiveProcessor
from pipeline.home import Home
from tests.served_models import make_model

PAGE = "pages/live.py"
PROMISE = "live_promise"
PORTRAIT = cv2.resize(skimage.data.astronaut(), (640, 480))

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


class FakeStreamer:
    """Stands for streamlit-webrtc: notes what it was asked, and plays when told."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] | None = None
        self.playing = self.signalling = False
        self.processor: LiveProcessor | None = None

    def __call__(self, key: str, **arguments: Any) -> Any:
        self.asked = arguments
        if self.playing and self.processor is None:
            self.processor = arguments["video_processor_factory"]()
        state = SimpleNamespace(playing=self.playing, signalling=self.signalling)
        context = SimpleNamespace(state=state, video_processor=self.processor)
        st.session_state[key] = context
        return context

    def show(self, *pictures: np.ndarray) -> None:
        """Sends pictures through the processor of the page, each as long as it takes."""
        assert self.processor is not None
        # The last one twice: on a busy machine, what is found comes with the next.
        for picture in (*pictures, pictures[-1]):
            before = self.processor.status().reading.analysed
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            asyncio.run(self.processor.recv_queued([frame]))
            while self.processor.status().reading.analysed == before:
                time.sleep(0.005)

    def stop(self) -> None:
        assert self.processor is not None
        self.processor.on_ended()
        self.processor = None
        self.playing = False


@pytest.fixture
def streamer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStreamer]:
    fake = FakeStreamer()
    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", fake)
    yield fake
    if fake.processor is not None:
        fake.processor.on_ended()


@pytest.fixture
def model(home: Home, tmp_path: Path) -> Path:
    folder = make_model(tmp_path / "served" / "bars")
    resources.models().activate(str(folder))
    return folder


@pytest.fixture
def playing(model: Path, streamer: FakeStreamer, open_page: OpenPage) -> AppTest:
    """The page with its video running."""
    app = agree(open_page(PAGE))
    streamer.playing = True
    return app.run()


def agree(app: AppTest, purpose: str = "My own use: it is me in the picture") -> AppTest:
    app.selectbox("live_purpose").select(purpose).run()
    return app.checkbox(PROMISE).check().run()


def links(app: AppTest) -> list[str]:
    """Where the page sends those who cannot go on; not what every such page links to."""
    return [link.label for link in app.page_link if "cannot tell" not in link.label]


class TestBeforeTheStart:
    def test_without_a_model(
        self, open_page: OpenPage, texts: Texts, streamer: FakeStreamer
    ) -> None:
        app = open_page(PAGE)
        assert "No model yet" in texts(app)
        assert not app.checkbox
        assert streamer.asked is None

    def test_model_of_drawn_faces(
        self, home: Home, tmp_path: Path, open_page: OpenPage, streamer: FakeStreamer
    ) -> None:
        dataset = {"name": "demo", "title": "Demo", "synthetic": True, "fingerprint": "0"}
        folder = make_model(tmp_path / "served" / "drawn", dataset=dataset)
        resources.models().activate(str(folder))
        (warning,) = open_page(PAGE).warning
        assert "drawn faces only" in warning.value

    def test_asks_first(self, model: Path, open_page: OpenPage, streamer: FakeStreamer) -> None:
        app = open_page(PAGE)
        assert streamer.asked is None
        app.checkbox(PROMISE).check().run()
        assert streamer.asked is None
        app.checkbox(PROMISE).uncheck().run()
        app.selectbox("live_purpose").select("Research with volunteers").run()
        assert streamer.asked is None
        app.checkbox(PROMISE).check().run()
        assert streamer.asked is not None

    @pytest.mark.parametrize(
        "purpose",
        ["Watching people at work, or judging applicants", "Watching pupils or students"],
    )
    def test_prohibited_purposes(
        self, model: Path, open_page: OpenPage, streamer: FakeStreamer, purpose: str
    ) -> None:
        app = agree(open_page(PAGE))
        streamer.asked = None
        app.selectbox("live_purpose").select(purpose).run()
        (stop,) = app.error
        assert "Article 5(1)(f)" in stop.value
        assert streamer.asked is None

    def test_asks_no_server_and_for_no_sound(
        self, model: Path, open_page: OpenPage, streamer: FakeStreamer
    ) -> None:
        agree(open_page(PAGE))
        assert streamer.asked is not None
        assert streamer.asked["rtc_configuration"] == {"iceServers": []}
        assert streamer.asked["media_stream_constraints"]["audio"] is False

    def test_servers_from_the_environment(
        self,
        model: Path,
        open_page: OpenPage,
        streamer: FakeStreamer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("FERLAB_ICE_SERVERS", "stun:stun.example.org:3478")
        agree(open_page(PAGE))
        assert streamer.asked is not None
        (server,) = streamer.asked["rtc_configuration"]["iceServers"]
        assert server == {"urls": ["stun:stun.example.org:3478"]}

    def test_wrong_servers(
        self,
        model: Path,
        open_page: OpenPage,
        streamer: FakeStreamer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("FERLAB_ICE_SERVERS", "example.org")
        app = agree(open_page(PAGE))
        assert streamer.asked is None
        assert "FERLAB_ICE_SERVERS" in app.error[0].value.replace("\\", "")
        assert "example.org" in app.error[0].value

    @pytest.mark.parametrize(
        ("camera", "words"),
        [
            (Camera.INSECURE, "localhost"),
            (Camera.UNSUPPORTED, "Firefox"),
            (Camera.DENIED, "Allow it"),
            (Camera.MISSING, "Plug one in"),
        ],
    )
    def test_no_camera(
        self,
        model: Path,
        open_page: OpenPage,
        streamer: FakeStreamer,
        monkeypatch: pytest.MonkeyPatch,
        camera: Camera,
        words: str,
    ) -> None:
        monkeypatch.setattr("app.live.view.camera", lambda key: camera)
        app = open_page(PAGE)
        assert words in app.error[0].value
        assert links(app) == ["Use photos from files instead"]
        assert not app.checkbox

    def test_connection_test(
        self,
        model: Path,
        open_page: OpenPage,
        streamer: FakeStreamer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("app.live.ice.local_addresses", lambda: ["192.0.2.1"])
        app = open_page(PAGE)
        app.button("live_test").click().run()
        assert "1 network address" in app.success[0].value
        monkeypatch.setattr("app.live.ice.local_addresses", list)
        app.button("live_test").click().run()
        assert "no network address" in app.error[0].value


class TestWhilePlaying:
    def test_says_what_it_sees_and_how_fast(
        self, playing: AppTest, streamer: FakeStreamer, texts: Texts
    ) -> None:
        streamer.show(PORTRAIT, PORTRAIT, PORTRAIT)
        app = playing.run()
        assert "Looks " in texts(app)
        figures = {metric.label: metric.value for metric in app.metric}
        assert float(figures["Frames a second"]) > 0
        assert figures["Delay"].endswith(" ms")
        assert figures["Delay, 95 %"].endswith(" ms")
        assert figures["Dropped, in all"] == "0.0\u00a0%"
        assert len(app.get("plotly_chart")) == 1
        # The question is not asked while the video runs.
        assert not app.checkbox

    def test_last_minute_is_that_of_who_is_in_the_picture(
        self, playing: AppTest, streamer: FakeStreamer, texts: Texts
    ) -> None:
        face = cv2.resize(PORTRAIT, (320, 240))
        left = np.hstack([face, np.full_like(face, 120), np.full_like(face, 120)])
        streamer.show(left)
        time.sleep(0.25)
        streamer.show(left)
        time.sleep(0.25)  # the timeline takes five samples a second
        streamer.show(np.ascontiguousarray(left[:, ::-1]))
        assert "Person 2, until you choose another" in texts(playing.run())

    def test_empty_picture(self, playing: AppTest, streamer: FakeStreamer, texts: Texts) -> None:
        streamer.show(np.full((480, 640, 3), 120, np.uint8))
        assert "No face found" in texts(playing.run())

    def test_pause(self, playing: AppTest, streamer: FakeStreamer, texts: Texts) -> None:
        streamer.show(PORTRAIT)
        playing.run().button("live_pause").click().run()
        assert streamer.processor is not None
        assert streamer.processor.status().paused
        assert "Paused" in texts(playing)
        playing.button("live_pause").click().run()
        assert not streamer.processor.status().paused

    def test_settings_reach_the_video(self, playing: AppTest, streamer: FakeStreamer) -> None:
        streamer.show(PORTRAIT)
        playing.slider("recognition_unsure_below").set_value(95).run()
        streamer.show(PORTRAIT, PORTRAIT)
        assert streamer.processor is not None
        (face,) = streamer.processor.status().faces
        assert face.smoothed.unsure_below == 0.95

    def test_connection_that_does_not_come(
        self,
        playing: AppTest,
        streamer: FakeStreamer,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert streamer.asked is not None
        assert "Connecting" in texts(playing)
        monkeypatch.setattr("app.live.session.LiveSession.waiting", 12.0)
        app = playing.run()
        assert "No video has arrived for 12 seconds" in app.error[0].value
        assert links(app) == ["Take a snapshot instead"]

    def test_black_picture(
        self, playing: AppTest, streamer: FakeStreamer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.live.processor._BLACK_SECONDS", 0.0)
        streamer.show(PORTRAIT, np.zeros((480, 640, 3), np.uint8))
        app = playing.run()
        assert "The picture is black" in app.warning[0].value
        assert links(app) == ["Use a photo instead"]

    def test_silence(
        self, playing: AppTest, streamer: FakeStreamer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.live.trouble._SILENCE_SECONDS", -1.0)
        streamer.show(PORTRAIT)
        assert "No picture for 0 seconds" in playing.run().warning[0].value

    def test_what_is_left_when_it_is_over(
        self, playing: AppTest, streamer: FakeStreamer, texts: Texts
    ) -> None:
        streamer.show(PORTRAIT)
        streamer.stop()
        app = playing.run()  # clears the video away
        app.run()
        assert "Your last session" in texts(app)
        assert not app.checkbox(PROMISE).value
        assert app.selectbox("live_purpose").value is not None
        app.button("live_forget").click().run()
        assert "Your last session" not in texts(app)
