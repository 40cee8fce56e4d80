"""Figures, facts and tables of words as plain HTML: one element of a page, whatever their number.

The first page shows them. There, each element of Streamlit's costs time of its
own, its metrics make the browser load nine more scripts and its tables a
megabyte, and long Markdown is slow to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

# Streamlit styles lists and tables too; its class makes these rules the stronger ones.
_LIST_STYLE = """<style>
.stHtml .fl-list { display: grid; gap: 0.75rem 1rem; margin: 0; padding: 0; line-height: 1.35;
    grid-template-columns: repeat(auto-fit, minmax(min(6.5rem, 100%), 1fr)); }
.stHtml .fl-list.facts { grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 100%), 1fr)); }
.stHtml .fl-list :is(dt, dd.note) { font-size: 0.875rem; opacity: 0.75; }
.stHtml .fl-list dd { margin: 0; overflow-wrap: anywhere; }
.stHtml .fl-list dd.figure { font-size: 1.75rem; font-weight: 650; }
</style>"""
# Rows divided by lines, as in Streamlit's own table without a grid.
_TABLE_STYLE = """<style>
.stHtml .fl-table { overflow-x: auto; }
.stHtml .fl-table table { width: 100%; border-collapse: collapse; }
.stHtml .fl-table :is(th, td) { padding: 0.5rem 0.75rem 0.5rem 0; text-align: left;
    white-space: nowrap; border-bottom: 1px solid rgba(128, 132, 150, 0.25); }
.stHtml .fl-table thead th { font-weight: 400; opacity: 0.65; }
.stHtml .fl-table tbody th { font-weight: 600; }
.stHtml .fl-table tr > :last-child { white-space: normal; min-width: 6rem; }
.stHtml .fl-table td:last-child { font-size: 0.875rem; opacity: 0.75; }
.stHtml .fl-table tbody tr:last-child > * { border-bottom: none; }
</style>"""


def figures(items: Iterable[tuple[str, str, str]]) -> str:
    """Large figures side by side.

    Args:
        items: Of each its name, its value and a note below it; as plain text.

    Returns:
        HTML; text takes the page's colour, light or dark.
    """
    return _list(
        (
            f'<dt>{escape(name)}</dt><dd class="figure">{escape(value)}</dd>'
            f'<dd class="note">{escape(note)}</dd>'
            for name, value, note in items
        ),
    )


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Facts in words, in two columns where there is room.

    Args:
        items: Of each its name and its value; as plain text.

    Returns:
        HTML; text takes the page's colour, light or dark.
    """
    return _list(
        (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items), "facts"
    )


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """A small table to read; where it is too wide for the page, it scrolls.

    Args:
        rows: `{heading: plain text}`, the same headings in each; at least one row.
            The first column names what its row is about; only the last, for
            remarks, breaks its lines.

    Returns:
        HTML; text takes the page's colour, light or dark.
    """
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in rows[0])
    return (
        f'{_TABLE_STYLE}<div class="fl-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_row, rows))}</tbody></table></div>"
    )


def _list(items: Iterable[str], kind: str = "") -> str:
    inside = "".join(f"<div>{item}</div>" for item in items)
    return f'{_LIST_STYLE}<dl class="fl-list {kind}">{inside}</dl>'


def _row(row: Mapping[str, str]) -> str:
    first, *others = map(escape, row.values())
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
