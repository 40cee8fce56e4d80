"""Waiting as people do: Streamlit may lose a click on a page that is still being drawn anew."""

from playwright.sync_api import Locator, Page


def settle(page: Page) -> None:
    """Waits until the page's script is done."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def click_settled(page: Page, what: Locator) -> None:
    """Clicks what the script draws, once it is there and the script is done."""
    what.wait_for()
    settle(page)
    what.click()
