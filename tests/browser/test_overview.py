from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app import scripts_ahead
from tests.browser.settling import click_settled, settle

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


def write_csv(path: Path, *, pixel: str = "7") -> Path:
    pixels = " ".join(["7"] * (48 * 48 - 1) + [pixel])
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = (f"{index % 7},{pixels},{usages[index % 3]}" for index in range(21))
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


def import_by_path(page: Page, source: Path, name: str) -> None:
    settle(page)
    page.get_by_role("textbox", name="File or folder").fill(str(source))
    page.get_by_role("textbox", name="Name", exact=True).first.fill(name)
    page.get_by_role("button", name="Import", exact=True).click()


def test_newcomer_builds_the_demo_dataset(empty_home: Path, visit: Visit) -> None:
    page = visit()
    expect(page).to_have_title("Overview · FER Lab")
    page.get_by_role("button", name="Explore the demo faces").click()
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible()
    expect(page).to_have_title("Dataset · FER Lab")
    expect(page.get_by_text("1,400 drawn faces are ready")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("What you can do now")).to_have_count(0)
    expect(page.locator(".fl-bars .bar i").first).to_be_visible()
    card = page.locator(".st-key-dataset_card")
    expect(card.locator(".stMarkdownBadge")).to_contain_text("Synthetic")
    expect(card.locator("img")).to_have_count(7)
    for picture in card.locator("img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    expect(
        page.locator(".st-key-first_steps").get_by_role("button", name="Train for two minutes")
    ).to_be_visible()
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "found => found.map(heading => Number(heading.tagName[1]))"
    )
    assert levels[0] == 1
    assert max(levels) > 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    # That it was built has been said on the page where it was seen, and need not be said again.
    expect(page.get_by_text("drawn faces are ready")).to_have_count(0)
    # Another session, such as after a reload, finds everything as it was.
    page.reload()
    expect(page.locator(".st-key-dataset_card img").first).to_be_visible()


def test_import_by_path_and_the_next_beside_it(
    empty_home: Path, tmp_path: Path, visit: Visit
) -> None:
    page = visit()
    import_by_path(page, write_csv(tmp_path / "faces.csv"), "first")
    expect(page.get_by_text("21 images are ready as “first”")).to_be_visible()
    click_settled(page, page.get_by_text("Get another dataset"))
    expect(page.get_by_role("textbox", name="File or folder")).to_be_visible()
    import_by_path(page, tmp_path / "faces.csv", "second")
    expect(page.get_by_text("21 images are ready as “second”")).to_be_visible()
    first, second = (page.locator(f".st-key-dataset_{name}") for name in ("first", "second"))
    click_settled(page, first.get_by_role("button", name="Make active"))
    expect(first.locator(".stMarkdownBadge")).to_contain_text("Active")
    click_settled(page, second.get_by_role("button", name="Delete"))
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(page.locator(".st-key-dataset_second")).to_have_count(0)
    assert not (empty_home / "data" / "second").exists()


def test_import_of_an_upload(empty_home: Path, tmp_path: Path, visit: Visit) -> None:
    page = visit()
    page.get_by_role("tab", name="Upload").click()
    page.locator("input[type=file]").first.set_input_files(write_csv(tmp_path / "faces.csv"))
    page.get_by_role("button", name="Import upload").click()
    expect(page.get_by_text("21 images are ready as “fer2013”")).to_be_visible()
    assert [path.name for path in (empty_home / "data").iterdir() if path.is_dir()] == ["fer2013"]


def test_bad_table_gives_one_clear_line(empty_home: Path, tmp_path: Path, visit: Visit) -> None:
    page = visit()
    import_by_path(page, write_csv(tmp_path / "bad.csv", pixel="256"), "bad")
    alert = page.get_by_role("alert").filter(has_text="bad.csv")
    expect(alert).to_contain_text("256")
    expect(page.get_by_text("Traceback")).to_have_count(0)
    assert not (empty_home / "data" / "bad").exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_is_cut_off(filled_home: Path, visit: Visit, width: int, scheme: str) -> None:
    page = visit(width=width, scheme=scheme)
    expect(page.locator(".fl-bars .bar i").first).to_be_visible()
    expect(page.locator(".st-key-dataset_card img")).to_have_count(7)
    overflow = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    # The words take the colour of the theme, in the chart too.
    bright = page.locator(".fl-bars > div").first.evaluate(
        "word => getComputedStyle(word).color.match(/\\d+/g).slice(0, 3).every(c => c > 128)"
    )
    assert bright == (scheme == "dark")


def test_what_other_pages_need_comes_while_this_one_is_read(
    filled_home: Path, visit: Visit
) -> None:
    page = visit()
    names = scripts_ahead.file_names()
    assert names
    page.wait_for_function(
        "names => names.every(name => performance.getEntriesByType('resource')"
        ".some(entry => entry.name.endsWith('/static/js/' + name)))",
        arg=names,
    )
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)
