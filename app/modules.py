"""The server's modules: loaded before they are needed, and never looked at as garbage."""

from __future__ import annotations

import gc
import importlib
import sys
import time
from collections.abc import Iterable
from threading import Lock, Timer

PRELOAD_DELAY_S = 5.0
"""By then, who started the server has the first page and reads it."""
FIRST_PAGE = (
    "app.dataset_view",
    "app.first_steps",
    "app.get_data",
    "app.home_view",
    "app.model_view",
    "app.runs_view",
    "app.scripts_ahead",
    "numpy.random",
)
"""What the Overview imports, and what that imports once there is a dataset."""
OTHER_PAGES = (
    "app.dataset_page.page",
    "app.evaluation.page",
    "app.compare.page",
    "sklearn.metrics",
)
"""What the others import when they are first opened, or first have figures to reckon."""
_FROZEN_FOR_S = 600.0
_lock = Lock()
_num_frozen = 0
_frozen_at = 0.0


def load_first_page() -> None:
    """Imports what the first visitor would wait for."""
    _load(FIRST_PAGE)


def load_others_later() -> Timer:
    """Imports in a moment what would keep the first visitor of a page waiting for two seconds.

    Returns:
        What can be cancelled when the server stops.
    """
    timer = Timer(PRELOAD_DELAY_S, _load, [OTHER_PAGES])
    timer.daemon = True
    timer.start()
    return timer


def load_pandas() -> None:
    """Imports pandas, or waits until another thread has; to be called before a chart is made.

    Plotly looks whether pandas is among the modules, and asks it for classes which it
    does not have yet while `load_others_later` imports it.
    """
    importlib.import_module("pandas")


def freeze() -> None:
    """Takes what modules hold out of the garbage collector's sight.

    Streamlit collects garbage after every run of a page and of a part of one,
    while nothing else in the server can go on: 45 ms with what the dashboard
    needs to start, 130 ms once all its pages were seen, for objects that never
    become garbage. (Its option `runner.postScriptGC` would leave the garbage
    lying too, with the pictures that hang on it.)

    Modules come with the pages, so this is called after each run; it does
    nothing unless some came. All that lives at that moment is frozen, visitors'
    state too; so ten minutes later everything is looked at again.
    """
    global _num_frozen, _frozen_at
    now = time.monotonic()
    if len(sys.modules) == _num_frozen and now - _frozen_at < _FROZEN_FOR_S:
        return
    if _lock.acquire(blocking=False):  # else another run of a page is at it
        try:
            _num_frozen, _frozen_at = len(sys.modules), now
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        finally:
            _lock.release()


def _load(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)
    freeze()
