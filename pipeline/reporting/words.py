"""Numbers as a report writes them, and texts that cards hold as Markdown."""

from __future__ import annotations

import re

from pipeline.evaluation.report import Interval
from pipeline.reporting.blocks import Block, Items, Text

_MARKUP = re.compile(r"[*`]")


def percent(share: float | None) -> str:
    """A share: `71.3 %`; a dash where there is none."""
    return "—" if share is None else f"{100 * share:.1f} %"


def interval(of: Interval | None) -> str:
    """The 95 % interval of a share: `95 %: 70.1 to 72.4 %`."""
    return "" if of is None else f"95 %: {100 * of[0]:.1f} to {100 * of[1]:.1f} %"


def from_card(markdown: str) -> tuple[Block, ...]:
    """Paragraphs and lists of a section of a model card, without its heading.

    Args:
        markdown: Paragraphs, `-` lists, emphasis and code; nothing else.
    """
    blocks: list[Block] = []
    for part in markdown.strip().split("\n\n"):
        if part.startswith("#"):
            continue
        if part.startswith("- "):
            items = part.removeprefix("- ").split("\n- ")
            blocks.append(Items(tuple(("", _plain(item)) for item in items)))
        else:
            blocks.append(Text(_plain(part)))
    return tuple(blocks)


def _plain(text: str) -> str:
    return _MARKUP.sub("", " ".join(text.split()))
