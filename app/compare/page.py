"""The compare page as a whole: its chooser and tabs, of which only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app import views
from app.compare import choice, same_images, training
from app.compare.subjects import Subject

TAB = "compare_tab"
"""The key of the page's tabs."""

TABS: dict[str, Callable[[Sequence[Subject]], None]] = {
    ":material/show_chart: Curves": training.curves,
    ":material/tune: Settings": training.settings,
    ":material/scatter_plot: Results and costs": training.costs,
    ":material/compare: On the same images": same_images.section,
    ":material/flag: What others achieve": training.references,
}


def board() -> None:
    """The chooser, then all that can be said of the chosen."""
    subjects = choice.choose()
    if not subjects:
        return
    with views.guarded():
        training.heading(subjects)
    views.tabs(TABS, subjects, key=TAB)
