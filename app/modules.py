"""The server's modules: imported before they are needed, and never looked at as garbage."""

from __future__ import annotations

import gc
import importlib
import sys
from threading import Timer

SECONDS_UNTIL_IDLE = 5.0
"""After this, who started the server has the first page and reads it."""
AHEAD = (
    "app.dataset_page.page",
    "app.evaluation.page",
    "app.compare.page",
    "sklearn.metrics",
)
"""What pages import when they are first opened, or first have figures to reckon."""
_num_spared = 0


def import_later() -> Timer:
    """Imports in a moment what would keep the first visitor of a page waiting for two seconds.

    Returns:
        What can be cancelled when the server stops.
    """
    timer = Timer(SECONDS_UNTIL_IDLE, _import)
    timer.daemon = True
    timer.start()
    return timer


def spare() -> None:
    """Takes what lives as long as the server out of the garbage collector's sight.

    Streamlit collects garbage after every run of a page and of a part of one,
    while nothing else in the server can go on: 45 ms with what the dashboard
    needs to start, 130 ms once all its pages were seen, for modules that never
    become garbage. They come with the pages; so this looks again after each,
    and does nothing where none came. (The option `runner.postScriptGC` would
    leave the garbage lying too, with the pictures that hang on it.)
    """
    global _num_spared
    if len(sys.modules) == _num_spared:
        return
    _num_spared = len(sys.modules)
    gc.unfreeze()  # only what lives now is to be spared, not what did when a page was first seen
    gc.collect()
    gc.freeze()


def _import() -> None:
    for name in AHEAD:
        importlib.import_module(name)
    spare()
