import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.dataset import DatasetStore
from pipeline.dataset.overlay import OverlayStore

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]

# The browser lays colours that let others through over one another, and turns all into sRGB.
CONTRAST = """text => {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d")
    const painted = color => {
        pixel.fillStyle = color
        pixel.fillRect(0, 0, 1, 1)
        const [red, green, blue] = [...pixel.getImageData(0, 0, 1, 1).data].map(value =>
            value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    }
    const grounds = []
    for (let at = text; at; at = at.parentElement)
        grounds.unshift(getComputedStyle(at).backgroundColor)
    const ground = grounds.map(painted).at(-1), ink = painted(getComputedStyle(text).color)
    return Math.max(ground, ink) / Math.min(ground, ink)
}"""


@pytest.fixture
def dataset_page(filled_home: Path, visit: Visit) -> Callable[..., Page]:
    """Opens the dataset page through the navigation, with the inspection done."""

    def open_page(*, scheme: str = "light") -> Page:
        page = visit(scheme=scheme)
        page.get_by_role("link", name="Dataset", exact=True).click()
        expect(page.get_by_text("21 images are ready")).to_be_visible()
        return page

    return open_page


def test_image_is_found_excluded_and_the_edit_outlives_the_tab(
    filled_home: Path, dataset_page: Callable[..., Page]
) -> None:
    page = dataset_page()
    page.get_by_role("tab", name="Look").click()
    faces = page.locator(".st-key-look_grid button")
    expect(faces).to_have_count(21)
    # The keyboard reaches every face.
    face = page.get_by_role("button", name="Image 8, Disgust, Test")
    face.focus()
    face.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="Image 8 labelled disgust")).to_be_visible()
    expect(dialog.locator(".st-key-detail_nearest button")).to_have_count(12)
    dialog.get_by_role("button", name="Exclude").click()
    expect(dialog.get_by_text("Excluded by an edit")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Image 8, Disgust, Test, excluded")).to_be_visible()
    dataset = DatasetStore(filled_home / "data").open("faces")
    assert OverlayStore(filled_home / "data").load(dataset).excluded == {8}

    page.get_by_role("tab", name="Edits").click()
    expect(page.get_by_text("excluded: 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Changes as CSV").click()
    text = Path(download.value.path()).read_text()
    assert text.splitlines()[0] == "index,origin,label,new_label,excluded"
    assert text.splitlines()[1].startswith("8,")


def test_images_at_large_are_gone_through_with_the_arrow_keys(
    dataset_page: Callable[..., Page],
) -> None:
    page = dataset_page()
    page.get_by_role("tab", name="Look").click()
    faces = page.locator(".st-key-look_grid button")
    expect(faces).to_have_count(21)
    names = [faces.nth(place).get_attribute("title") for place in range(3)]
    faces.first.click()
    dialog = page.get_by_role("dialog")
    place = dialog.get_by_role("spinbutton", name="Place in the list")
    expect(place).to_have_value("1")
    expect(dialog.get_by_role("button", name="Previous")).to_be_disabled()
    for now in ("2", "3"):
        page.keyboard.press("ArrowRight")
        expect(place).to_have_value(now)
    page.keyboard.press("ArrowLeft")
    expect(place).to_have_value("2")
    page.keyboard.press("x")
    expect(dialog.get_by_text("Excluded by an edit")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    # One finds the place again.
    current = page.locator(".st-key-look_grid [aria-current]")
    expect(current).to_have_attribute("title", f"{names[1]}, excluded")
    expect(current).to_be_focused()


def test_a_reload_finds_the_open_tab_and_its_filter(dataset_page: Callable[..., Page]) -> None:
    page = dataset_page()
    page.get_by_role("tab", name="Look").click()
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name="Sad").click()
    expect(page).to_have_url(re.compile("look_classes=Sad"))
    page.reload()
    expect(page.get_by_role("tab", name="Look")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Image 4, Sad, Validation")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Image .*, Fear"))).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_chosen_is_legible(dataset_page: Callable[..., Page], scheme: str) -> None:
    page = dataset_page(scheme=scheme)
    for role, name in (("tab", "Balance"), ("radio", "Grouped"), ("radio", "Counts")):
        chosen = page.get_by_role(role, name=name)
        expect(chosen).to_have_attribute("data-selected", "true")
        # WCAG 2.2, 1.4.3: what text takes.
        assert chosen.locator("p").evaluate(CONTRAST) >= 4.5, name


def test_lasso_on_the_map_opens_the_images(dataset_page: Callable[..., Page]) -> None:
    page = dataset_page()
    page.get_by_role("tab", name="Map").click()
    area = page.locator(".st-key-map_pixels_pca .nsewdrag").first
    expect(area).to_be_visible()
    box = area.bounding_box()
    assert box is not None
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + box["width"] - 4, top + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    expect(page.get_by_text("21 images selected")).to_be_visible()
    page.get_by_role("button", name="Open in the grid").click()
    expect(page.get_by_text("Selected on the map: 21 images")).to_be_visible()
    expect(page.locator(".st-key-look_grid button")).to_have_count(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_breaks_on_a_phone(dataset_page: Callable[..., Page], scheme: str) -> None:
    page = dataset_page(scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    for name, sight in (
        ("Balance", ".st-key-balance_chart .bars path"),
        ("Look", ".st-key-look_grid button"),
        ("Quality", ".st-key-quality_list"),
        ("Previews", ".st-key-preview_rotation"),
        ("Map", ".st-key-map_pixels_pca .nsewdrag"),
    ):
        page.get_by_role("tab", name=name).click()
        expect(page.locator(sight).first).to_be_visible()
        overflow = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, name
