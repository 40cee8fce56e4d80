"""A document as Markdown (GitHub's kind, for its tables)."""

from __future__ import annotations

import re

from pipeline.reporting.blocks import (
    Block,
    Code,
    Document,
    Drawing,
    Figures,
    Items,
    Pictures,
    Table,
    Text,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$])")


def to_markdown(document: Document) -> str:
    """Writes a document as Markdown; in place of drawings stand their tables.

    Args:
        document: Its text is escaped.
    """
    parts = [f"# {plain(document.title)}", plain(document.subtitle)]
    for section in document.sections:
        parts.append(f"## {plain(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Escapes text, so that nothing in it is markup; line breaks become spaces."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _block(block: Block) -> str:
    match block:
        case Text(text, is_note):
            return f"> {plain(text)}" if is_note else plain(text)
        case Items(items):
            return "\n".join(
                f"- **{plain(lead)}** {plain(text)}" if lead else f"- {plain(text)}"
                for lead, text in items
            )
        case Code(text):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            return f"{fence}\n{text}\n{fence}"
        case Figures(figures):
            rows = tuple((item.title, item.value, item.below) for item in figures)
            return _table(Table(("figure", "value", ""), rows))
        case Table():
            return _table(block)
        case Drawing(_, caption, table):
            return f"{plain(caption)}\n\n{_table(table)}" if table else ""
        case Pictures(pictures):
            return "\n".join(f"- {plain(picture.caption)}" for picture in pictures)


def _table(table: Table) -> str:
    lines = [f"{plain(table.caption)}\n"] if table.caption else []
    lines.append(_row(table.header))
    columns = range(len(table.header))
    lines.append("|" + "".join("---:|" if table.is_numeric(k) else "---|" for k in columns))
    return "\n".join([*lines, *map(_row, table.rows)])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(plain, cells))} |"
