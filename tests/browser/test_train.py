import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.dataset import DatasetStore, synthetic
from pipeline.runs import RunStatus, RunStore
from tests.browser.settling import settle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of datasets of a home with the drawn faces, to be copied."""
    store = DatasetStore(tmp_path_factory.mktemp("drawn") / "data")
    synthetic.build_demo(store)
    return store.root


@pytest.fixture
def train_page(empty_home: Path, drawn: Path, visit: Visit) -> Callable[..., Page]:
    """Opens the training page of a home with the drawn faces, through the navigation."""
    shutil.copytree(drawn, empty_home / "data")

    def open_page(*, scheme: str = "light") -> Page:
        page = visit(scheme=scheme)
        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("button", name="Start training").wait_for()
        return page

    return open_page


def set_number(page: Page, tab: str, label: str, value: str) -> None:
    page.get_by_role("tab", name=tab).click()
    box = page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(value)
    box.press("Enter")
    # The page has taken it over once it tells the difference from the recipe.
    expect(page.locator(".st-key-train_start_card")).to_contain_text(f"{label.lower()} {value}")


def test_a_real_training_from_the_widgets_to_the_model(
    train_page: Callable[..., Page], empty_home: Path, visit: Visit
) -> None:
    page = train_page()
    page.get_by_role("tab", name="Network").click()
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="Simple CNN").click()
    expect(page.get_by_text("684 k")).to_be_visible()
    set_number(page, "Network", "Width factor", "0.25")
    set_number(page, "Optimisation", "Epochs at most", "2")
    page.get_by_role("textbox", name="Name", exact=True).fill("tiny")
    page.get_by_role("textbox", name="Name", exact=True).press("Enter")
    page.get_by_role("button", name="Start training").click()
    card = page.locator(".st-key-train_watch")
    expect(card.locator(".stMarkdownBadge")).to_contain_text(re.compile("Starting|Running"))
    assert page.url.endswith("?run=tiny")
    # Another browser finds the same run, and there it moves by itself from here on.
    page.close()
    page = visit()
    page.get_by_role("link", name="Train", exact=True).click()
    # It stands there by itself while the run goes on, which on a busy computer it may not any more.
    page.get_by_text("Watch", exact=True).click()
    card = page.locator(".st-key-train_watch")
    badge = card.locator(".stMarkdownBadge").first
    expect(badge).to_contain_text("Finished", timeout=120_000)
    expect(card.get_by_text("2 of 2 epochs")).to_be_visible()
    expect(card.locator(".scatterlayer")).to_have_count(3)
    run = RunStore(empty_home / "runs").get("tiny")
    assert run.state.status is RunStatus.FINISHED
    assert [entry["epoch"] for entry in run.history] == [1, 2]
    # The rest of the dashboard knows its model at once.
    serve, active = card.get_by_role("button", name="Make active"), card.get_by_text("Active model")
    expect(serve.or_(active)).to_be_visible()
    if serve.is_visible():  # a model that ships with the program comes first
        serve.click()
    expect(active).to_be_visible()
    page.get_by_role("link", name="Photo", exact=True).click()
    expect(page.get_by_role("button", name="Try an example")).to_be_visible()
    # Its settings can be had again, to be changed.
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_text("Watch", exact=True).click()
    card.get_by_role("button", name="Clone").click()
    page.get_by_role("tab", name="Network").click()
    expect(page.get_by_role("spinbutton", name="Width factor")).to_have_value("0.25")


def test_measuring_tells_the_time(train_page: Callable[..., Page]) -> None:
    page = train_page()
    page.get_by_role("tab", name="Network").click()
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name="Simple CNN").click()
    expect(page.get_by_text("684 k")).to_be_visible()
    page.get_by_role("button", name="Measure the time").click()
    expect(page.get_by_text("building the network and timing")).to_be_visible()
    expect(page.locator(".st-key-train_start_card").get_by_text("Time an epoch")).to_be_visible(
        timeout=120_000
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_on_a_phone(train_page: Callable[..., Page], scheme: str) -> None:
    page = train_page(scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 900})
    for tab, label in (("Network", "Width factor"), ("Optimisation", "Epochs at most")):
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("spinbutton", name=label, exact=True).wait_for()
        settle(page)
        assert page.evaluate(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        for button in page.get_by_test_id("stMain").get_by_role("button").all():
            box = button.bounding_box()
            if box is not None:
                assert box["x"] + box["width"] <= 390
