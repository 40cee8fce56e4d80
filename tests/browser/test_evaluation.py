import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pipeline.dataset import DatasetStore
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import bar_faces, make_model

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def evaluated(empty_home: Path, tmp_path: Path) -> None:
    """A model, and bars of which four happy ones of validation are labelled fear."""
    labels = np.arange(84, dtype=np.uint8) % 7
    images = bar_faces(labels)
    splits = np.repeat(np.arange(3, dtype=np.uint8), 28)
    labels[(labels == 3) & (splits == 1)] = 2
    store = DatasetStore(empty_home / "data")
    with store.writer("bars") as writer:
        writer.append(images, labels, splits)
        writer.finish(title="Bars", source="test", kind="test")
    ModelCatalog(Home(empty_home)).activate(str(make_model(tmp_path / "sight")))


def test_a_click_on_a_cell_opens_its_images(evaluated: None, visit: Callable[..., Page]) -> None:
    page = visit()
    page.get_by_role("link", name="Where it fails").click()
    page.get_by_text("28 images are ready").wait_for()
    page.get_by_role("tab", name="Confusion").click()
    page.get_by_text("Choose a cell to see its images").wait_for()
    plot = page.locator(".st-key-confusion_labels .nsewdrag").first
    plot.scroll_into_view_if_needed()
    side = plot.bounding_box()
    assert side is not None
    # True fear is the third row, predicted happy the fourth column.
    at = {"x": side["width"] * 3.5 / 7, "y": side["height"] * 2.5 / 7}
    plot.click(position=at)
    expect(page.get_by_text(re.compile(r"^4 fear images .* are called happy"))).to_be_visible()
    faces = page.get_by_role("button", name=re.compile("Image .* Fear, Validation, Happy"))
    expect(faces).to_have_count(4)
    faces.first.click()
    place = page.get_by_role("dialog").get_by_role("spinbutton", name="Place in the list")
    expect(place).to_have_value("1")
