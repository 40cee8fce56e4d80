from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page

from pipeline.dataset import DatasetStore, Split
from pipeline.recognition.catalog import ModelEntry
from pipeline.reporting import compose, gather, write_report
from tests.served_models import bar_faces, make_model

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it, pictures too."""
    root = tmp_path_factory.mktemp("report")
    labels = (np.arange(84) % 7).astype(np.uint8)
    store = DatasetStore(root / "data")
    with store.writer("bars") as writer:
        writer.append(
            bar_faces((labels + (np.arange(84) % 5 == 0)) % 7),
            labels,
            np.repeat(np.arange(3, dtype=np.uint8), 28),
        )
        writer.finish(title="Bars", source="bars.csv", kind="csv")
    folder = make_model(root / "sight")
    entry = ModelEntry("sight", folder, "path")
    material = gather(entry, store.open("bars"), Split.TEST, cache=root / "cache")
    write_report(compose(material, num_mistakes=6), root / "report.html")
    return root / "report.html"


@pytest.fixture
def offline_page(chromium: BrowserContext) -> Iterator[Page]:
    chromium.set_offline(True)
    with chromium.new_page() as page:
        yield page
    chromium.set_offline(False)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_report_opens_offline_and_asks_for_nothing(
    offline_page: Page, page_file: Path, scheme: str, width: int
) -> None:
    requests, complaints = [], []
    page = offline_page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(page_file.as_uri())
    page.get_by_role("link", name="Most confident mistakes").click()
    drawn = page.evaluate("[...document.images].every(image => image.naturalWidth === 48)")
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert drawn
    assert complaints == []
    outside = {url for url in requests if not url.startswith("data:")} - {page_file.as_uri()}
    assert {url.partition("#")[0] for url in outside} <= {page_file.as_uri()}
    assert (shade == "rgb(255, 255, 255)") == (scheme == "light")
    # What is wide scrolls by itself; the page does not.
    assert wide == width
