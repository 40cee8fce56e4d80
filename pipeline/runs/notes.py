"""What people say of a run: its title, tags, a note, and whether it is put away.

The run's id stays what its folder is called, whatever its title: addresses,
checkpoints and the choice of the active model go by the id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout

from pipeline.errors import ConfigError, RunStateError
from pipeline.files import read_json, write_json
from pipeline.runs.locks import locked

NOTES = "notes.json"
MAX_TITLE, MAX_TAG, MAX_TAGS, MAX_NOTE = 80, 30, 12, 4000

_LOCK = ".notes.lock"
_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class RunNotes:
    """The content of `notes.json`.

    Attributes:
        title: What people call the run; empty: its id.
        tags: Sorted, each once, in lower case.
        note: As many lines as people like.
        archived: Whether tables leave it out unless asked.
    """

    title: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False

    @classmethod
    def make(
        cls, title: str = "", tags: Iterable[str] = (), note: str = "", archived: bool = False
    ) -> RunNotes:
        """Notes from what people typed: spaces trimmed, tags in order.

        Raises:
            ConfigError: If something is too long, or a tag holds a comma.
        """
        title, note = " ".join(title.split()), note.strip()
        found = sorted({" ".join(tag.lower().split()) for tag in tags} - {""})
        for what, text, most in (("title", title, MAX_TITLE), ("note", note, MAX_NOTE)):
            if len(text) > most:
                raise ConfigError(f"a {what} has {most} characters at most, this has {len(text)}")
        if len(found) > MAX_TAGS:
            raise ConfigError(f"a run has {MAX_TAGS} tags at most, got {len(found)}")
        for tag in found:
            if len(tag) > MAX_TAG or "," in tag:
                raise ConfigError(
                    f"{tag[:MAX_TAG]!r} cannot be a tag: {MAX_TAG} characters at most, no commas"
                )
        return cls(title, tuple(found), note, bool(archived))


def load_notes(folder: Path) -> RunNotes:
    """The notes in a run's folder; none where there are none or they are damaged."""
    try:
        stored = read_json(folder / NOTES)
        return RunNotes.make(
            str(stored["title"]),
            [str(tag) for tag in stored["tags"]],
            str(stored["note"]),
            stored["archived"] is True,
        )
    except (OSError, KeyError, TypeError, ValueError, ConfigError):
        return RunNotes()


def edit_notes(folder: Path, *, seen: RunNotes | None = None, **changes: Any) -> RunNotes:
    """Changes some of a run's notes and keeps the others.

    Two tabs that change different things both have their way.

    Args:
        folder: The run's folder.
        seen: The notes that the changes were made from; what somebody else
            has changed since is not overwritten. `None`: the last one wins.
        changes: By field of `RunNotes`.

    Returns:
        The notes as they are now.

    Raises:
        ConfigError: See `RunNotes.make`.
        RunNotFoundError: If the run is not there any more.
        RunStateError: If somebody else has changed the same meanwhile.
    """
    try:
        with locked(folder, _LOCK, timeout=_LOCK_SECONDS):
            now = load_notes(folder)
            new = RunNotes.make(**{**asdict(now), **changes})
            _check_unchanged(seen, now, new, changes)
            write_json(folder / NOTES, asdict(new))
    except Timeout as error:
        raise RunStateError(f"the notes of run {folder.name!r} are in use: try again") from error
    return new


def change_tags(folder: Path, add: Iterable[str] = (), remove: Iterable[str] = ()) -> RunNotes:
    """Adds and takes away tags, whatever others there are.

    Raises:
        ConfigError, RunNotFoundError, RunStateError: See `edit_notes`.
    """
    unwanted = set(RunNotes.make(tags=remove).tags)
    seen = load_notes(folder)
    tags = [tag for tag in (*seen.tags, *add) if tag not in unwanted]
    return edit_notes(folder, seen=seen, tags=tags)


def _check_unchanged(
    seen: RunNotes | None, now: RunNotes, new: RunNotes, changes: dict[str, Any]
) -> None:
    if seen is None:
        return
    for name in changes:
        before, stored = getattr(seen, name), getattr(now, name)
        if stored not in (before, getattr(new, name)):
            raise RunStateError(
                f"the {name} was changed elsewhere meanwhile, to {str(stored)[:60]!r}: look at it "
                "and change it again"
            )
