from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.home import Home
from tests.browser.settling import click_settled
from tests.compared_runs import store_bars, store_run

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture
def two_runs(empty_home: Path) -> None:
    """`good` is always right; `blind` never answers angry or happy."""
    home = Home(empty_home)
    dataset = store_bars(home)
    store_run(home, "good", dataset, dropout=0.4)
    store_run(home, "blind", dataset, dropout=0.2, blind_to=(0, 3))


def test_from_two_runs_to_the_images_that_flipped(
    two_runs: None, visit: Callable[..., Page]
) -> None:
    page = visit(width=390)
    page.goto(f"{page.url}compare-runs?runs=good,blind")
    expect(page.locator(".st-key-compare_curves .scatterlayer")).to_have_count(4)
    assert page.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    click_settled(page, page.get_by_role("tab", name="On the same images"))
    click_settled(page, page.get_by_role("button", name="Compare on these images"))
    card = page.get_by_role("tabpanel", name="On the same images")
    expect(card.get_by_text("blind is worse than good")).to_be_visible()
    card.get_by_role("radio", name="Broken: 20").click()
    faces = card.locator(".faces button")
    expect(faces).to_have_count(20)
    expect(faces.first).to_contain_text("→")
    faces.first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Label:")).to_be_visible()
    expect(dialog.locator(".barlayer .bars")).to_have_count(2)
    assert "runs=good%2Cblind" in page.url


def test_who_comes_back_finds_the_tab_open_still(
    two_runs: None, visit: Callable[..., Page]
) -> None:
    page = visit()
    links = page.get_by_test_id("stSidebarNavLink")
    links.filter(has_text="Compare").click()
    click_settled(page, page.get_by_role("tab", name="Settings"))
    expect(page.get_by_text("All settings")).to_be_visible()
    links.filter(has_text="Responsible use").click()
    expect(page.get_by_role("heading", name="Responsible use")).to_be_visible()
    links.filter(has_text="Compare").click()
    expect(page.get_by_text("All settings")).to_be_visible()
