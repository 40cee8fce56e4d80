"""A document as one HTML file that needs nothing else: no script, no font, no connection."""

from __future__ import annotations

import base64
from html import escape

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

# The browser itself refuses whatever would lead out of the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2233; --soft: #5b6478; --line: #d9dde7;
  --ground: #ffffff; --raised: #f4f5f9; --accent: #4b50c8; --second: #0f8a8a;
  --shade: 75, 80, 200; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f2; --soft: #a3abc0; --line: #363c4e;
  --ground: #12151f; --raised: #1b1f2d; --accent: #9a9eff; --second: #4fc7c0;
  --shade: 130, 134, 255; } }
@media print { :root { --ink: #000000; --soft: #444444; --line: #bbbbbb; --ground: #ffffff;
  --raised: #ffffff; --accent: #4b50c8; --second: #0f8a8a; --shade: 75, 80, 200; }
  nav { display: none; } details::details-content { content-visibility: visible;
  block-size: auto; } h2, h3 { break-after: avoid; }
  figure, table, .cards > div { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .8rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
.subtitle, figcaption, caption, .below { color: var(--soft); font-size: .88rem; }
p, li { overflow-wrap: anywhere; max-width: 46rem; }
nav { margin: 1.2rem 0; } nav a { color: var(--accent); margin-right: 1rem; white-space: nowrap;
  display: inline-block; text-decoration: none; }
nav a:hover { text-decoration: underline; }
.note { border-left: 4px solid var(--accent); background: var(--raised); padding: .7rem 1rem; }
.cards { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); }
.cards > div { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem; }
.value { font-size: 1.5rem; font-weight: 600; }
.scrolls { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .3rem .65rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
.words { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .88rem; }
figure { margin: 1.2rem 0; } svg { width: 100%; min-width: 34rem; max-width: 44rem;
  height: auto; display: block; }
svg text { fill: var(--ink); font-size: 13px; font-family: inherit; }
svg .soft { fill: var(--soft); }
summary { color: var(--soft); font-size: .88rem; cursor: pointer; }
.faces { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); }
.faces figure { margin: 0; } .faces img { width: 100%; border-radius: .3rem; }
"""


def to_html(document: Document) -> str:
    """Writes a document as one HTML file.

    It follows the reader's light or dark setting, prints, and makes no request.

    Args:
        document: Its text is escaped; its drawings are put in as they are.
    """
    links = "".join(
        f'<a href="#{escape(item.anchor)}">{escape(item.title)}</a>' for item in document.sections
    )
    parts = [
        f'<section id="{escape(item.anchor)}"><h2>{escape(item.title)}</h2>'
        + "\n".join(map(_block, item.blocks))
        + "</section>"
        for item in document.sections
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<main>\n<h1>{escape(document.title)}</h1>\n<p class="subtitle">'
        f'{escape(document.subtitle)}</p>\n<nav aria-label="Contents">{links}</nav>\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Text(text, is_note):
            kind = ' class="note"' if is_note else ""
            return f"<p{kind}>{escape(text)}</p>"
        case Items(items):
            return "<ul>" + "".join(map(_item, items)) + "</ul>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Figures(figures):
            cards = "".join(
                f'<div><div class="below">{escape(item.title)}</div><div class="value">'
                f'{escape(item.value)}</div><div class="below">{escape(item.below)}</div></div>'
                for item in figures
            )
            return f'<div class="cards">{cards}</div>'
        case Table():
            return _table(block)
        case Drawing(svg, caption, table):
            numbers = (
                f"<details><summary>The numbers</summary>{_table(table)}</details>" if table else ""
            )
            return (
                f'<figure><div class="scrolls">{svg}</div>'
                f"<figcaption>{escape(caption)}</figcaption>{numbers}</figure>"
            )
        case Pictures(pictures):
            faces = "".join(
                f'<figure><img alt="" src="data:image/png;base64,'
                f'{base64.b64encode(picture.png).decode("ascii")}">'
                f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
                for picture in pictures
            )
            return f'<div class="faces">{faces}</div>'


def _item(item: tuple[str, str]) -> str:
    lead, text = item
    return f"<li>{f'<b>{escape(lead)}</b> ' if lead else ''}{escape(text)}</li>"


def _table(table: Table) -> str:
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    kinds = ["" if table.is_numeric(k) else ' class="words"' for k in range(len(table.header))]
    head = "".join(
        f'<th scope="col"{kind}>{escape(title)}</th>'
        for title, kind in zip(table.header, kinds, strict=True)
    )
    rows = []
    for number, (name, *cells) in enumerate(table.rows):
        shades = table.shades[number] if table.shades else (None,) * len(cells)
        filled = "".join(
            f"<td{kind}{_shade(shade)}>{escape(cell)}</td>"
            for cell, kind, shade in zip(cells, kinds[1:], shades, strict=True)
        )
        rows.append(f'<tr><th scope="row" class="words">{escape(name)}</th>{filled}</tr>')
    return (
        f'<div class="scrolls"><table>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _shade(shade: float | None) -> str:
    # Never so dark that the text on it is lost.
    return f' style="background: rgba(var(--shade), {0.6 * shade:.2f})"' if shade else ""
