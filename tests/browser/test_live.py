import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from pipeline.home import Home
from pipeline.labels import EMOTIONS
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.contract import MODEL_ONNX
from pipeline.recognition.probes import Probes
from tests.served_models import bar_faces, make_contract, softmax, write_network

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]

SIZE = (640, 480)
RATE = 30
# The one colour of the seven that is nowhere in the clip.
GREEN = next(emotion for emotion in EMOTIONS if emotion.name == "disgust")


def write_clip(path: Path, seconds: int = 3) -> Path:
    """A real face that moves in a circle and comes nearer and goes again, as Motion JPEG."""
    person = skimage.data.astronaut()
    frames = seconds * RATE
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p"
        for index in range(frames):
            turn = math.tau * index / frames
            zoom = 2.2 + 0.25 * math.sin(turn)
            x, y = 220 + 25 * math.cos(turn), 130 + 12 * math.sin(turn)
            move = np.array([[zoom, 0, 320 - zoom * x], [0, zoom, 210 - zoom * y]])
            picture = cv2.warpAffine(person, move, SIZE, borderMode=cv2.BORDER_REFLECT)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode())
    return path


def make_disgusted_model(folder: Path) -> Path:
    """A model that takes every face for a disgusted one."""
    folder.mkdir()
    contract = make_contract()
    weights = np.zeros((48 * 48, len(EMOTIONS)), np.float32)
    weights[:, EMOTIONS.index(GREEN)] = 1e-4
    write_network(folder / MODEL_ONNX, weights)
    faces = bar_faces(np.arange(14) % 7)
    inputs = contract.preprocessing.apply(faces)
    scores = softmax(inputs.reshape(len(inputs), -1) @ weights)
    Probes(faces, inputs, scores).save(folder)
    contract.save(folder)
    return folder


@pytest.fixture(scope="module")
def chromium(
    start_chromium: Callable[..., BrowserContext], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """The browser of these tests has a camera, in front of which someone moves."""
    clip = write_clip(tmp_path_factory.mktemp("camera") / "face.mjpeg")
    with start_chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    ) as browser:
        yield browser


@pytest.fixture
def live_page(empty_home: Path, tmp_path: Path, visit: Visit) -> Callable[..., Page]:
    """Opens the live page of a home with a model."""
    folder = make_disgusted_model(tmp_path / "disgusted")
    ModelCatalog(Home(empty_home)).activate(str(folder))

    def open_page(script: str = "") -> Page:
        page = visit()
        if script:
            page.add_init_script(script)
            page.reload()
        page.get_by_role("link", name="Live", exact=True).click()
        expect(page.get_by_role("heading", name="Live")).to_be_visible()
        return page

    return open_page


def choose(page: Page, purpose: str) -> None:
    page.get_by_role("combobox", name="What is it for?").click()
    page.get_by_role("option", name=purpose).click()


def start(page: Page) -> FrameLocator:
    choose(page, "My own use")
    page.get_by_text("Everyone who can come into view").click()
    video = page.frame_locator("iframe")
    video.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Frames a second")).to_be_visible()
    return video


def figure(page: Page, name: str) -> float:
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(name, exact=True))
    text = metric.get_by_test_id("stMetricValue").inner_text()
    return float(re.sub(r"[^0-9.]", "", text) or "nan")


def pixels_like(video: Locator, color: str, within: int = 45) -> int:
    """How many pixels of the picture in the browser are of a colour, about."""
    wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    return int(
        video.evaluate(
            """(video, [wanted, within]) => {
              const canvas = document.createElement("canvas")
              canvas.width = video.videoWidth
              canvas.height = video.videoHeight
              const context = canvas.getContext("2d")
              context.drawImage(video, 0, 0)
              const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
              let count = 0
              for (let at = 0; at < data.length; at += 4)
                count += wanted.every((value, i) => Math.abs(data[at + i] - value) <= within)
              return count
            }""",
            [wanted, within],
        )
    )


def until(page: Page, holds: Callable[[], bool], what: str) -> None:
    for _ in range(60):
        if holds():
            return
        page.wait_for_timeout(500)
    pytest.fail(f"never happened: {what}")


def test_video_comes_back_marked(live_page: Callable[..., Page]) -> None:
    page = live_page()
    video = start(page)
    picture = video.locator("video")
    # The face is found, named, and its chip is in the picture that the browser got.
    expect(page.get_by_text(re.compile(r"^Looks disgust"))).to_be_visible()
    until(page, lambda: pixels_like(picture, GREEN.color) > 300, "a green chip in the video")
    until(page, lambda: figure(page, "Frames a second") > 5, "frames are looked at")
    assert 0 < figure(page, "Delay") <= figure(page, "Delay, 95 %") < 2000
    assert 0 <= figure(page, "Dropped, in all") < 100
    expect(page.locator(".st-key-live_chart .scatterlayer .trace")).to_have_count(7)
    # A change of settings reaches the running video and does not end it.
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Back to the defaults").wait_for()
    slider = page.get_by_role("slider", name="Say “unsure” below")
    slider.press("ArrowRight")
    expect(page.get_by_role("button", name="Back to the defaults")).to_be_enabled()
    page.keyboard.press("Escape")
    first = picture.evaluate("video => video.currentTime")
    until(
        page,
        lambda: picture.evaluate("video => video.currentTime") > first + 1,
        "the video goes on",
    )


def test_pause_snapshot_and_timeline(live_page: Callable[..., Page]) -> None:
    page = live_page()
    video = start(page)
    expect(page.get_by_text(re.compile(r"^Looks disgust"))).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    until(page, lambda: figure(page, "Frames a second") == 0, "no frame is looked at")
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    snapshot = np.asarray(Image.open(download.value.path()), np.int16)
    green = [int(GREEN.color[at : at + 2], 16) for at in (1, 3, 5)]
    # The browser sends fewer pixels of the same picture when the computer is busy.
    height, width, channels = snapshot.shape
    assert (width / height, channels) == (640 / 480, 3)
    assert 240 <= height <= 480
    assert (np.abs(snapshot - green).max(axis=2) <= 2).sum() > 300
    page.get_by_role("button", name="Go on").click()
    until(page, lambda: figure(page, "Frames a second") > 5, "frames are looked at again")
    page.mouse.move(5, 5)
    video.get_by_role("button", name="Stop").click()
    # What was recorded outlives the video; the promise does not.
    expect(page.get_by_text("Your last session")).to_be_visible()
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    expect(page.locator("iframe")).to_have_count(0)
    # The video's frame sends a last word or two, each of which draws the page anew.
    page.wait_for_timeout(2000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Timeline").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {row["emotion"] for row in rows} == {"Disgust"}
    times = [int(row["time_ms"]) for row in rows]
    assert times == sorted(times)
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_text("Your last session")).to_have_count(0)


def test_nothing_starts_unasked_or_for_the_wrong_purpose(live_page: Callable[..., Page]) -> None:
    page = live_page()
    expect(page.get_by_text("Before you start")).to_be_visible()
    choose(page, "Watching pupils")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Article 5(1)(f)")
    expect(page.get_by_role("checkbox")).to_be_disabled()
    expect(page.locator("iframe")).to_have_count(0)
    choose(page, "Research with volunteers")
    expect(alert).to_have_count(0)
    expect(page.locator("iframe")).to_have_count(0)
    page.get_by_text("Everyone who can come into view").click()
    expect(page.frame_locator("iframe").get_by_role("button", name="Start")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
            "Object.defineProperty(window, 'isSecureContext', { value: false })",
            "secure pages only",
        ),
        (
            "navigator.permissions.query = async () => "
            "Object.assign(new EventTarget(), { state: 'denied' })",
            "not to lend this page the camera",
        ),
        ("navigator.mediaDevices.enumerateDevices = async () => []", "finds no camera"),
    ],
    ids=["insecure", "denied", "missing"],
)
def test_says_why_there_is_no_camera(
    live_page: Callable[..., Page], script: str, reason: str
) -> None:
    page = live_page(script)
    expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(page.get_by_text("Before you start")).to_have_count(0)
    page.get_by_role("link", name="Use photos from files instead").click()
    expect(page.get_by_role("heading", name="Photo", exact=True)).to_be_visible()
