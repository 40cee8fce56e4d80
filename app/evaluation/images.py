"""Images with a model's answers to them: a grid, from which one opens at large."""

from __future__ import annotations

from app.dataset_page import gallery, grid
from app.dataset_page.grid import Pages
from app.evaluation import errors_detail
from app.evaluation.desk import Desk
from pipeline.evaluation import Predictions
from pipeline.labels import EMOTIONS

PAGE_SIZE = 48


def show(desk: Desk, places: gallery.Indices, *, key: str) -> None:
    """A grid of images; below each the most probable emotion.

    Args:
        desk: What is on the page; its images are scored.
        places: Places in `desk.predictions`, in the order to show them.
        key: Begins the keys of the widgets.
    """
    found, dataset = desk.predictions, desk.dataset
    if found is None or dataset is None or not len(places):
        return
    pages = Pages(f"{key}_page_{len(places)}", PAGE_SIZE)
    on_page = places[pages.shown(len(places))]
    sheet = gallery.sheet(
        dataset, found.indices[on_page], desk.edits, [note(found, place) for place in on_page]
    )
    chosen = grid.faces(sheet, key=f"{key}_grid", cell=84, current=errors_detail.last())
    if chosen is not None:
        errors_detail.show(desk, chosen, found.indices[places], pages)


def note(found: Predictions, place: int) -> str:
    """The most probable emotion of an image and its probability: `Sad 71 %`."""
    title = EMOTIONS[int(found.predicted[place])].title
    return f"{title} {100 * float(found.confidence[place]):.0f} %"
