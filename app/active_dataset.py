"""The dataset that the whole dashboard shows: making another one the active one."""

from __future__ import annotations

from app import resources, state
from app.training import draft


def choose(name: str) -> None:
    """Makes a dataset the active one, by the user's choice.

    The training that is being put together follows: whatever was chosen for it is
    the older choice.

    Args:
        name: Of the dataset.

    Raises:
        ConfigError: If others keep writing the choices.
    """
    state.remember(resources.home(), active_dataset=name)
    draft.follow_active(resources.home())
