import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.browser.settling import settle
from tests.served_models import make_model

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


@pytest.fixture
def photo_page(empty_home: Path, tmp_path: Path, visit: Visit) -> Callable[..., Page]:
    """Opens the photo page of a home with a model, as a user does: through the navigation."""
    folder = make_model(tmp_path / "bars", unsure_below=0.1)
    ModelCatalog(Home(empty_home)).activate(str(folder))

    def open_page(*, scheme: str = "light") -> Page:
        page = visit(scheme=scheme)
        page.get_by_role("link", name="Photo", exact=True).click()
        page.get_by_role("button", name="Try an example").wait_for()
        return page

    return open_page


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Three people in a row, the second of them darker."""
    face = skimage.data.astronaut()[20:220, 120:320]
    dim = (face * 0.3).astype(np.uint8)
    path = tmp_path / "three people.png"
    Image.fromarray(np.hstack([face, dim, face])).save(path)
    return path


def drop(page: Page, *paths: Path) -> None:
    page.locator("input[type=file]").set_input_files(list(paths))


def is_loaded(image: Locator) -> bool:
    return bool(image.evaluate("image => image.complete && image.naturalWidth > 0"))


def test_example_shows_everything_about_the_face(photo_page: Callable[..., Page]) -> None:
    page = photo_page()
    page.get_by_role("button", name="Try an example").click()
    expect(page.get_by_role("heading", name="Looks ")).to_be_visible()
    expect(page.locator(".st-key-face_scores .bars path")).to_have_count(7)
    expect(page.locator(".st-key-face_affect .scatterlayer")).to_be_visible()
    for text in ("astronaut.png: 1 face", "The face as the network saw it", "Hiding the yellow"):
        image = page.get_by_role("img", name=text)
        expect(image).to_be_visible()
        assert is_loaded(image)


def test_group_among_bad_files(
    photo_page: Callable[..., Page], group: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.txt"
    bad.write_text("no image")
    page = photo_page()
    drop(page, bad, group)
    expect(page.get_by_role("alert").filter(has_text="notes.txt")).to_contain_text("not an image")
    gallery = page.locator(".st-key-face_gallery")
    expect(gallery.get_by_role("img", name="Face ")).to_have_count(3)
    expect(page.get_by_text("Face 1 of 3")).to_be_visible()
    gallery.get_by_role("button", name="3 · ", exact=False).last.click()
    expect(page.get_by_text("Face 3 of 3")).to_be_visible()
    download_json = page.get_by_role("button", name="JSON")
    expect(download_json).to_have_count(1)  # while the page is drawn anew, the old one is there too
    with page.expect_download() as download:
        download_json.click()
    results = {entry["file"]: entry for entry in json.loads(download.value.path().read_text())}
    assert len(results["three people.png"]["faces"]) == 3
    assert results["notes.txt"]["error"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Marked picture").click()
    assert download.value.suggested_filename == "three people-faces.png"
    with Image.open(download.value.path()) as picture:
        assert picture.size == (600, 200)
    # Removing the last one leaves the page as it was at first.
    for _ in range(2):
        count = page.get_by_role("button", name="Remove").count()
        page.get_by_role("button", name="Remove").first.click()
        expect(page.get_by_role("button", name="Remove")).to_have_count(count - 1)
    expect(page.get_by_role("img", name="three people")).to_have_count(0)


def test_the_photo_that_the_keyboard_chooses_comes_into_view(
    photo_page: Callable[..., Page], group: Path, tmp_path: Path
) -> None:
    portrait = tmp_path / "portrait.png"
    Image.fromarray(skimage.data.astronaut()).save(portrait)
    page = photo_page()
    page.set_viewport_size({"width": 1280, "height": 600})
    drop(page, group, portrait)
    expect(page.get_by_text("three people.png · 600")).to_be_visible()
    choice = page.get_by_role("button", name="portrait.png", exact=True)
    # Until the page is drawn to its end, buttons may give way to new ones, and the focus with them.
    settle(page)
    choice.press("Enter")
    expect(page.get_by_text("portrait.png · 512")).to_be_visible()
    picture = page.locator("[class*=st-key-photo_shown]").get_by_role("img", name="portrait.png")
    expect(picture).to_be_in_viewport(ratio=0.9)
    expect(page.locator("button:focus")).to_contain_text("portrait.png")


def test_settings_take_effect_at_once_and_are_remembered(photo_page: Callable[..., Page]) -> None:
    page = photo_page()
    page.get_by_role("button", name="Try an example").click()
    page.get_by_role("heading", name="Looks ").wait_for()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("slider", name="Say “unsure” below").press("End")
    expect(page.get_by_role("heading", name="Unsure")).to_be_visible()
    # In another browser too: the home remembers.
    other = photo_page()
    other.get_by_role("button", name="Try an example").click()
    expect(other.get_by_role("heading", name="Unsure")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_is_cut_off(
    photo_page: Callable[..., Page], group: Path, width: int, scheme: str
) -> None:
    page = photo_page(scheme=scheme)
    drop(page, group)
    page.locator(".st-key-photo_downloads").wait_for()
    page.set_viewport_size({"width": width, "height": 900})
    page.locator(".st-key-face_affect .scatterlayer").wait_for()
    page.wait_for_timeout(500)  # the charts follow the new width
    assert page.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    for image in page.get_by_test_id("stMain").get_by_role("img").all():
        box = image.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
