"""Exclusions and relabels beside a dataset, whose own files are never changed.

data/.overlays/<name>@<fingerprint>.json is a list of edits in order. Nothing is
ever taken out of it: to undo is one more edit, so a version number means the
same set of changes for good, and a training can name the version that it was
made with. The name of the file tells the data apart: other data imported under
the same name begin without edits, and the old data, imported again, find theirs.
"""

from pipeline.dataset.overlay.edit import (
    Edit,
    EditKind,
    exclude,
    relabel,
    relabel_each,
    restore,
    undo,
)
from pipeline.dataset.overlay.overlay import Overlay
from pipeline.dataset.overlay.store import LATEST, NO_EDITS, OverlayConflictError, OverlayStore

__all__ = [
    "LATEST",
    "NO_EDITS",
    "Edit",
    "EditKind",
    "Overlay",
    "OverlayConflictError",
    "OverlayStore",
    "exclude",
    "relabel",
    "relabel_each",
    "restore",
    "undo",
]
