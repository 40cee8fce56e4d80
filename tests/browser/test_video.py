import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data
from playwright.sync_api import Page, expect

from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import make_model
from tests.videos import pan, write_video

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


@pytest.fixture
def video_page(empty_home: Path, tmp_path: Path, visit: Visit) -> Iterator[Callable[..., Page]]:
    """Opens the video page of a home with a model, as a user does: through the navigation.

    At the end the result is removed, since it belongs to the server, not to the visit.
    """
    pages = []
    folder = make_model(tmp_path / "bars", unsure_below=0.1)
    ModelCatalog(Home(empty_home)).activate(str(folder))

    def open_page(*, width: int = 1280, scheme: str = "light") -> Page:
        page = visit(width=width, scheme=scheme)
        pages.append(page)
        if width < 768:
            page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_role("link", name="Video", exact=True).click()
        page.get_by_role("button", name="Analyse").wait_for()
        if width < 768:
            page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        return page

    yield open_page
    for page in pages:
        remove = page.get_by_role("button", name="Remove", exact=True)
        if remove.count():
            remove.click()
            expect(remove).to_have_count(0)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A cup of coffee for three seconds, then a face for three."""
    cup = np.ascontiguousarray(skimage.data.coffee()[:240, :320])
    return write_video(tmp_path / "my clip.mov", [*([cup] * 75), *pan(75)], audio="aac")


def analyse(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Analyse").click()


def player(page: Page, expression: str) -> float:
    return page.locator("video").evaluate(f"video => video.{expression}")


def wait_for_player(page: Page, condition: str) -> None:
    page.wait_for_function(
        f"() => {{ const video = document.querySelector('video'); return video && {condition}; }}"
    )


def test_marked_copy_plays_and_jumps(video_page: Callable[..., Page], clip: Path) -> None:
    page = video_page()
    analyse(page, clip)
    expect(page.get_by_text("13 samples, 1 person")).to_be_visible()
    wait_for_player(page, "video.videoWidth > 0")
    assert player(page, "duration") == pytest.approx(6.0, abs=0.1)
    # From the disk, not from Streamlit's memory.
    assert "/marked-video/" in page.locator("video").evaluate("video => video.currentSrc")
    # Muted, since no browser plays sound before it was clicked.
    page.locator("video").evaluate("video => { video.muted = true; return video.play(); }")
    wait_for_player(page, "video.currentTime > 0.3")
    assert player(page, "webkitAudioDecodedByteCount") > 0
    # The key moment lies in the second half; a second click goes there again.
    moment = page.locator(".st-key-video_moments").get_by_role("button", name="0:0")
    moment.click()
    wait_for_player(page, "video.currentTime >= 3 && video.readyState >= 2")
    page.locator("video").evaluate("video => { video.currentTime = 0.5; }")
    moment.click()
    wait_for_player(page, "video.currentTime >= 3 && video.readyState >= 2")


def test_click_on_the_timeline_moves_the_player(
    video_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = video_page()
    analyse(page, write_video(tmp_path / "clip.mov", pan(150)))
    plot = page.locator(".st-key-video_timeline .nsewdrag").first
    plot.wait_for()
    expect(page.locator(".st-key-video_timeline .scatterlayer .trace").first).to_be_attached()
    size = plot.bounding_box()
    assert size is not None
    page.set_viewport_size({"width": 1280, "height": 500})
    plot.scroll_into_view_if_needed()
    expect(page.locator("video")).not_to_be_in_viewport()
    plot.click(position={"x": 0.85 * size["width"], "y": size["height"] / 2})
    wait_for_player(page, "video.currentTime >= 5")
    expect(page.locator("video")).to_be_in_viewport(ratio=1)
    # The first sample's moment has no time of day for Plotly.
    plot.click(position={"x": 1, "y": size["height"] / 2})
    wait_for_player(page, "video.currentTime < 1")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_text("Areas", exact=True).click()
    expect(page.locator(".st-key-video_timeline .js-fill").first).to_be_attached()


def test_downloads(video_page: Callable[..., Page], clip: Path) -> None:
    page = video_page()
    analyse(page, clip)
    contents = {}
    for role, name in (("link", "Marked video"), ("button", "JSON"), ("button", "CSV")):
        with page.expect_download() as event:
            page.get_by_role(role, name=name, exact=True).click()
        contents[event.value.suggested_filename] = Path(event.value.path()).read_bytes()
    with av.open(io.BytesIO(contents["my clip-marked.mp4"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 150
    assert len(json.loads(contents["my clip.json"])["samples"]) == 13
    assert contents["my clip.csv"].startswith(b"time_ms,track,")


def test_work_goes_on_while_another_page_is_looked_at(
    video_page: Callable[..., Page], clip: Path
) -> None:
    page = video_page()
    analyse(page, clip)
    begun = page.get_by_role("button", name="Cancel").or_(page.locator("video"))
    expect(begun.first).to_be_visible()
    page.get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_text("The results are on the video page")).to_be_visible()
    page.get_by_role("link", name="Video", exact=True).click()
    wait_for_player(page, "video.videoWidth > 0")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("video")).to_have_count(0)


def test_file_that_is_no_video_gives_one_line(
    video_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = video_page()
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    analyse(page, path)
    expect(page.get_by_role("alert").filter(has_text="not a video")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1920, "dark")])
def test_nothing_is_cut_off(
    video_page: Callable[..., Page], clip: Path, width: int, scheme: str
) -> None:
    page = video_page(width=width, scheme=scheme)
    analyse(page, clip)
    expect(page.locator(".st-key-video_timeline .scatterlayer .trace").first).to_be_attached()
    overflow = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
