"""A wrong label, planted, found and put right without leaving the large view."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import LATEST, OverlayStore
from pipeline.home import Home
from pipeline.recognition.catalog import ModelCatalog
from tests.served_models import bar_faces, make_model

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLANTED = (31, 38)
"""Validation images of the fourth class (happy), labelled sad."""
HAPPY, SAD = 3, 4


@pytest.fixture
def bars(empty_home: Path, tmp_path: Path) -> Dataset:
    labels = np.arange(84, dtype=np.uint8) % 7
    images = bar_faces(labels)
    labels[list(PLANTED)] = SAD
    store = DatasetStore(empty_home / "data")
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), 28))
        writer.finish(title="Bars", source="test", kind="test")
    ModelCatalog(Home(empty_home)).activate(str(make_model(tmp_path / "sight", gain=0.2)))
    return store.open("bars")


def test_wrong_labels_are_put_right_one_after_the_other(
    empty_home: Path, bars: Dataset, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.get_by_role("link", name="Where it fails").click()
    page.get_by_text("28 images are ready").wait_for()
    page.get_by_role("tab", name="Errors").click()
    page.get_by_text("Likely label errors").click()
    expect(page.get_by_text("the likeliest come first")).to_be_visible()
    expect(page.locator(".st-key-errors_grid button")).to_have_count(2)
    page.get_by_role("button", name="Look through").click()
    dialog = page.get_by_role("dialog")
    for place in ("1", "2"):
        expect(dialog.get_by_role("spinbutton", name="Place in the list")).to_have_value(place)
        expect(dialog.get_by_text("Labelled sad, looks happy to the model")).to_be_visible()
        # What the model says is offered; the view stays open and shows what was done.
        dialog.get_by_role("button", name="Relabel").click()
        expect(dialog.get_by_text("Relabelled as Happy")).to_be_visible()
        if place == "1":
            dialog.get_by_role("button", name="Next").click()
    # A neighbour is a training face, of which there are no stored answers.
    dialog.locator(".st-key-errors_nearest button").first.click()
    expect(dialog.get_by_role("button", name="Back to the list")).to_be_visible()
    # The chosen face has given way to others, and its focus not to nothing.
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("2 relabelled")).to_be_visible()
    expect(page.get_by_text("by yours; “Labels”")).to_be_visible()
    learned = OverlayStore(empty_home / "data").edited(bars, LATEST)
    assert (learned.labels[list(PLANTED)] == HAPPY).all()
    assert set(PLANTED) <= set(learned.indices(Split.VALIDATION).tolist())
