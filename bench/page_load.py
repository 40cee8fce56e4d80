"""How long the dashboard takes to open and to change pages, in a real Chromium.

    FERLAB_HOME=… python -m bench.page_load [--rounds 5] [--starts 3]

It starts servers of its own, with the datasets and models of this home. A page
counts as there when its title is, its script is done, nothing on it is a
placeholder any more and every chart is drawn. The browser's own clock counts,
from the navigation or from the click on: what Playwright does before a click is
no wait of a visitor's. Each round is a new browser profile, so its cache is
empty, and a tab in it that is given time to start: people have a browser open,
and setting up a profile takes this one's two processors half a second. The first
page is then opened once more in it and read for four seconds, and each page is
gone to twice from the sidebar. A round before the others meets
a server that has just started; while the first page is read, it loads what the
others import. Needs Playwright (requirements-dev.txt) and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import defaultdict
from statistics import median

from bench.common import conclude, dashboard

try:
    from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright
except ModuleNotFoundError:
    sys.exit("Playwright is not installed: pip install -r requirements-dev.txt")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Of a Chromium without a window; the browser's tests use them too."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
"""What its command may be called."""
_SETTLE = 1500
_PAUSE = 500
_READING = 4000
FIRST = "Overview"
EMPTY, WARM = "cache empty", "cache warm"
# What lies in a closed fold is not waited for.
IS_THERE = """title => {
    const app = document.querySelector('[data-testid="stApp"]');
    const shown = selector => [...app.querySelectorAll(selector)].filter(
        element => element.checkVisibility());
    return app?.dataset.testScriptState === 'notRunning'
        && app.querySelector('h1')?.innerText.trim() === title
        && !shown('[data-testid="stSkeleton"], [data-testid="stAppSkeleton"]').length
        && shown('[data-testid="stPlotlyChart"]').every(
            chart => chart.querySelector('.main-svg'))
        && performance.now();
}"""
"""The milliseconds since the navigation once the page is there."""
_NOTE_CLICKS = "addEventListener('click', event => window.clickedAt = event.timeStamp, true)"

STATE = """() => {
    const count = selector => document.querySelectorAll(selector).length;
    const script = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
    return `script ${script}, title ${document.querySelector('h1')?.innerText}, `
        + `${count('[data-testid="stSkeleton"]')} placeholders, `
        + `${count('[data-testid="stPlotlyChart"]')} charts, ${count('.main-svg')} drawings`;
}"""

Times = dict[tuple[str, str], list[float]]
"""Milliseconds by page and state of the cache."""


def there(page: Page, title: str) -> float:
    """Waits until a page is there; the milliseconds since the last navigation."""
    try:
        found = page.wait_for_function(IS_THERE, arg=title, polling="raf")
    except TimeoutError as error:
        raise SystemExit(f"{title} was not there in time: {page.evaluate(STATE)}") from error
    return float(found.json_value())


def opened(page: Page, url: str) -> float:
    """Opens the dashboard; how long its first page takes."""
    page.goto(url, wait_until="commit")
    return there(page, FIRST)


def changed(page: Page, link: Locator, title: str) -> float:
    """Goes to a page; how long that takes from the click on.

    Playwright's looking whether a click is possible is not counted.
    """
    link.click()
    end = there(page, title)
    return end - float(page.evaluate("clickedAt"))


def one_round(browser: Browser, url: str) -> Times:
    """Opens the dashboard twice and goes through its pages twice, in a new profile."""
    times: Times = defaultdict(list)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    context.add_init_script(_NOTE_CLICKS)
    for cache in (EMPTY, WARM):
        page = context.new_page()
        page.wait_for_timeout(_SETTLE)
        times["first page", cache].append(opened(page, url))
        if cache == EMPTY:
            page.close()
    links = page.get_by_test_id("stSidebarNavLink")
    titles = [text.strip() for text in links.all_inner_texts()]
    # Icons are letters of a font, on a line of their own.
    titles = [title.splitlines()[-1] for title in titles]
    page.wait_for_timeout(_READING)
    for cache in (EMPTY, WARM):
        for title in [*titles[1:], titles[0]]:
            # Streamlit loses a click in the instant in which a component reports for the first
            # time, as the camera's does; people take longer.
            page.wait_for_timeout(_PAUSE)
            link = links.nth(titles.index(title))
            times[title, cache].append(changed(page, link, title))
    context.close()
    return times


def show(fresh: Times, later: Times) -> None:
    """A line for each page: just after the server's start, then the usual times."""
    print(f"{'median ms':18s} {'server just started':>20s} {EMPTY:>12s} {WARM:>12s}   longest")
    for title in dict.fromkeys(title for title, _ in later):
        empty, warm = later[title, EMPTY], later[title, WARM]
        print(
            f"{title:18s} {fresh[title, EMPTY][0]:20.0f} {median(empty):12.0f} "
            f"{median(warm):12.0f} {max(empty + warm):9.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3, help="of the server")
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        sys.exit(f"no Chromium on this machine (looked for {', '.join(NAMES)})")
    starts = []
    for _ in range(options.starts - 1):
        with dashboard() as server:
            starts.append(server)
    with dashboard() as server, sync_playwright() as playwright:
        starts.append(server)
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        fresh = one_round(browser, server.url)
        later: Times = defaultdict(list)
        for _ in range(options.rounds):
            for key, found in one_round(browser, server.url).items():
                later[key] += found
        browser.close()
    answered = median(start.answered for start in starts)
    print(
        f"the server answers {answered:.2f} s after its start and has loaded its model after "
        f"{median(start.ready for start in starts):.2f} s (medians of {len(starts)})"
    )
    show(fresh, later)
    changes = [median(found) for (title, cache), found in later.items() if cache == WARM]
    conclude(
        f"server {answered:.1f} s; first page {median(later['first page', EMPTY]):.0f} ms with an "
        f"empty cache, {median(later['first page', WARM]):.0f} ms with a warm one; a change of "
        f"page {median(changes[1:]):.0f} ms, at most {max(changes[1:]):.0f} ms"
    )


if __name__ == "__main__":
    main()
