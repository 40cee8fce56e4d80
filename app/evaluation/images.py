"""Images with a model's answers to them: a grid, from which one opens at large."""

from __future__ import annotations

from app.dataset_page import gallery, grid
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
    page = grid.page(len(places), PAGE_SIZE, f"{key}_page_{len(places)}")
    on_page = places[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    sheet = gallery.sheet(
        dataset, found.indices[on_page], desk.edits, [note(found, place) for place in on_page]
    )
    chosen = grid.faces(sheet, key=f"{key}_grid", cell=84)
    if chosen is not None:
        errors_detail.show(desk, chosen, found.indices[places])


def note(found: Predictions, place: int) -> str:
    """The most probable emotion of an image and its probability: `Sad 71 %`."""
    title = EMOTIONS[int(found.predicted[place])].title
    return f"{title} {100 * float(found.confidence[place]):.0f} %"
