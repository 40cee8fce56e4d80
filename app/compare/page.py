"""The compare page as a whole."""

from __future__ import annotations

from app import views
from app.compare import choice, same_images, training


def board() -> None:
    """The chooser, then all that can be said of the chosen."""
    subjects = choice.choose()
    if not subjects:
        return
    with views.guarded():
        training.heading(subjects)
    for title, icon, key, draw in (
        ("Curves", "show_chart", "curves", training.curves),
        ("Settings", "tune", "settings", training.settings),
        ("Results and costs", "scatter_plot", "costs", training.costs),
        ("On the same images", "compare", "same_images", same_images.section),
        ("What others achieve", "flag", "references", training.references),
    ):
        with views.card(title, icon, key=f"compare_card_{key}"), views.guarded():
            draw(subjects)
