"""Figures, facts and tables of words as plain HTML: one element of a page, whatever their number.

Pages begin with them. There, each element of Streamlit's costs time of its own,
its metrics make the browser load nine more scripts and its tables a megabyte,
and long Markdown is slow to read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
# Rows divided by lines, as in Streamlit's own table without a grid. Where it scrolls, the names of
# the rows stay, and a shadow at the right says that there is more.
_TABLE_STYLE = """<style>
.stHtml .fl-table { overflow-x: auto; background:
    linear-gradient(to left, var(--fl-ground) 50%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to left, rgba(128, 132, 150, 0.3), transparent) right / 12px 100% no-repeat; }
.stHtml .fl-table :is(tbody, thead) th:first-child { position: sticky; left: 0;
    background: var(--fl-ground); }
.stHtml .fl-table table { width: 100%; border-collapse: separate;
    border-spacing: 0; }
.stHtml .fl-table :is(th, td) { padding: 0.5rem 0.75rem 0.5rem 0; text-align: left;
    white-space: nowrap; border-bottom: 1px solid rgba(128, 132, 150, 0.25); }
.stHtml .fl-table thead th { font-weight: 400;
    color: color-mix(in srgb, currentColor 65%, transparent); }
.stHtml .fl-table tbody th { font-weight: 600; }
.stHtml .fl-table table:not(:has(.number)) tr > :last-child { white-space: normal;
    min-width: 6rem; overflow-wrap: anywhere; }
.stHtml .fl-table table:not(:has(.number)) td:last-child { font-size: 0.875rem; opacity: 0.75; }
.stHtml .fl-table table:has(.number) { font-size: 0.875rem; }
.stHtml .fl-table .number { text-align: right; font-variant-numeric: tabular-nums; }
.stHtml .fl-table .number:last-child { padding-right: 0; }
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


def table(
    rows: Sequence[Mapping[str, str]],
    *,
    numbers: Collection[str] = (),
    signs: Sequence[tuple[str, str]] = (),
    label: str,
) -> str:
    """A small table to read; where it is too wide for the page, it scrolls.

    Args:
        rows: `{heading: plain text}`, the same headings in each; at least one row.
            The first column names what its row is about; the last, in a table
            without numbers, is for remarks: it alone breaks its lines.
        numbers: The headings of columns of numbers.
        signs: Of each row a character that stands before its name and its
            colour as `#rrggbb`; none if empty.
        label: What the table holds, for those who cannot see it.

    Returns:
        HTML; text takes the page's colour, light or dark.
    """
    kinds = [' class="number"' if heading in numbers else "" for heading in rows[0]]
    head = "".join(
        f'<th scope="col"{kind}>{escape(heading)}</th>'
        for heading, kind in zip(rows[0], kinds, strict=True)
    )
    marks = [
        f'<span style="color: {color}" aria-hidden="true">{sign}</span> ' for sign, color in signs
    ] or [""] * len(rows)
    body = "".join(_row(row, kinds, mark) for row, mark in zip(rows, marks, strict=True))
    # What scrolls must be reached with the keys too, and then say what it is.
    name = f'tabindex="0" role="region" aria-label="{escape(label)}"'
    return (
        f'{_TABLE_STYLE}<div class="fl-table" {name}><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _list(items: Iterable[str], kind: str = "") -> str:
    inside = "".join(f"<div>{item}</div>" for item in items)
    return f'{_LIST_STYLE}<dl class="fl-list {kind}">{inside}</dl>'


def _row(row: Mapping[str, str], kinds: Sequence[str], mark: str) -> str:
    first, *others = map(escape, row.values())
    cells = "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds[1:], others, strict=True))
    return f'<tr><th scope="row">{mark}{first}</th>{cells}</tr>'
