"""The edits of a dataset as a choice: which exclusions and relabels to train with."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app import resources, views
from app.training import draft
from pipeline.dataset.overlay import LATEST, NO_EDITS, Overlay, OverlayStore

_KEY = "train_edits"


@dataclass(frozen=True)
class Choice:
    """Which edits of a dataset there are to choose from.

    Attributes:
        dataset: The dataset's name.
        wanted: What the draft holds: `none`, `latest` or a version.
        options: What can be trained with, in words; nothing if there is no choice.
    """

    dataset: str
    wanted: str
    options: dict[str, str]

    @property
    def chosen(self) -> str:
        """What to train with: `none`, `latest` or a version."""
        return self.wanted if self.wanted in self.options else NO_EDITS


def find(dataset: str, wanted: str) -> Choice:
    """Looks which edits a dataset has; what goes wrong, or is gone, is shown.

    Args:
        dataset: The dataset's name.
        wanted: What the draft holds: `none`, `latest` or a version.

    Returns:
        The choice; none if the dataset has no edits or cannot be read.
    """
    options: dict[str, str] = {}
    with views.guarded():
        stored = resources.dataset(dataset)
        options = offered(OverlayStore(resources.home().data).load(stored), wanted)
    found = Choice(dataset, wanted, options)
    if wanted.isdecimal() and found.chosen == NO_EDITS:
        st.warning(
            f"Version {wanted} of the edits is not there any more.", icon=":material/edit_off:"
        )
    return found


def view(choice: Choice) -> None:
    """The widget, if there is a choice."""
    if choice.options:
        st.session_state[_KEY] = choice.chosen
        st.selectbox(
            "Edits",
            list(choice.options),
            key=_KEY,
            format_func=choice.options.__getitem__,
            help="Images left out or relabelled on the dataset page. Training and the choice of "
            "the best weights heed them; the finished model is always scored on the dataset as "
            "imported, so that runs compare.",
            on_change=_chosen,
            args=(choice.dataset,),
        )


def offered(overlay: Overlay, wanted: str) -> dict[str, str]:
    """What can be trained with, in words; nothing if there is no choice.

    Args:
        overlay: All edits of the dataset.
        wanted: The present choice; an older version is offered only if it is that.
    """
    found = {}
    if _changes(overlay):
        # Whoever wants this very version keeps it, whatever is edited meanwhile.
        key = wanted if wanted == str(overlay.version) else LATEST
        found[key] = f"Version {overlay.version} (latest): {words(overlay)}"
    if wanted.isdecimal() and int(wanted) < overlay.version:
        older = overlay.at(int(wanted))
        if _changes(older):
            found[wanted] = f"Version {wanted}: {words(older)}"
    return {NO_EDITS: "None, as imported", **found} if found else {}


def words(overlay: Overlay) -> str:
    """What edits come to: `4 relabelled, 2 left out`."""
    parts = []
    if overlay.num_relabelled:
        parts.append(f"{overlay.num_relabelled:,} relabelled")
    if overlay.excluded:
        parts.append(f"{len(overlay.excluded):,} left out")
    return ", ".join(parts)


def _changes(overlay: Overlay) -> bool:
    return bool(overlay.excluded or overlay.relabelled)


def _chosen(dataset: str) -> None:
    draft.choose_edits(resources.home(), dataset, st.session_state[_KEY])
