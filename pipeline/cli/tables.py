"""Tables that are read whole at any width: where there is no room, columns are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from pipeline.cli.common import UNLIMITED, cell, console, notes


def print_rows(
    title: str,
    rows: Sequence[Mapping[str, object]],
    *,
    least: Sequence[str] = (),
    caption: str | None = None,
) -> None:
    """Prints a table with a line for each row.

    Args:
        title: Stands above it, as it is.
        rows: The values by column; all have the same columns.
        least: The columns that may be left out where a terminal is too narrow, the
            least important first. Which were, a note says. Values are never cut.
        caption: Stands below it.
    """
    screen = console()
    left_out: list[str] = []
    table = _table(title, rows, left_out, caption)
    for name in least:
        if _width(table, screen) <= screen.width:
            break
        left_out.append(name)
        table = _table(title, rows, left_out, caption)
    screen.print(table)
    if left_out:
        names = ", ".join(name.replace("_", " ") for name in left_out)
        notes().print(
            f"No room for {names}: widen the terminal, or send the output to a file.", markup=False
        )


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Prints one fact a line; what is not known, or empty, is left out.

    Args:
        title: Stands above them, as it is.
        facts: The values by name.
    """
    table = Table(title=escape(title), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(name.replace("_", " "), cell(value))
    console().print(table)


def _table(
    title: str, rows: Sequence[Mapping[str, object]], left_out: Sequence[str], caption: str | None
) -> Table:
    shown = [name for name in rows[0] if name not in left_out]
    table = Table(title=escape(title), caption=caption)
    for name in shown:
        # Two short lines take less room than one long one, and the figures below are short.
        table.add_column(name.replace("_", "\n"), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row[name]) for name in shown))
    return table


def _width(table: Table, screen: Console) -> int:
    """How many characters wide the table is where nothing in it is wrapped."""
    return Measurement.get(screen, screen.options.update(width=UNLIMITED), table).maximum
