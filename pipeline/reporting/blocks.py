"""What a document is made of: plain data, of which HTML and Markdown are made alike.

All text is plain, without markup: whoever writes it out escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass

# How a number begins, or what stands where there is none.
_NUMERIC = frozenset(["", *"0123456789-−—+"])


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: What it says.
        is_note: Whether it is set apart, as something to know before reading on.
    """

    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Items:
    """A list.

    Attributes:
        items: For each what it begins with, set in bold, which may be empty;
            and what it says.
    """

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Code:
    """A command or the like, to be copied as it is."""

    text: str


@dataclass(frozen=True)
class Figure:
    """One number that stands out.

    Attributes:
        title: What it is.
        value: The number in words.
        below: What stands below it, such as its interval.
    """

    title: str
    value: str
    below: str = ""


@dataclass(frozen=True)
class Figures:
    """Numbers that stand out, side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Table:
    """A table; the first column names the rows.

    Attributes:
        header: The columns' titles.
        rows: The cells, as many in each row as there are titles.
        caption: What it shows.
        shades: How dark each cell after the first is, in `[0, 1]`, row by row;
            `None` for a table without shading.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    shades: tuple[tuple[float, ...], ...] | None = None

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers, which are set flush right."""
        cells = [row[column] for row in self.rows]
        return column > 0 and all(cell[:1] in _NUMERIC for cell in cells)


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes:
        svg: An `<svg>` element; its colours are those of the document's style.
        caption: What it shows.
        table: The numbers in it, for those who cannot see it and for Markdown;
            `None` if they stand beside it anyway, and Markdown goes without.
    """

    svg: str
    caption: str
    table: Table | None = None


@dataclass(frozen=True)
class Picture:
    """A face.

    Attributes:
        png: The image file.
        caption: What stands below it.
    """

    png: bytes
    caption: str


@dataclass(frozen=True)
class Pictures:
    """Faces side by side; in Markdown only what stands below them."""

    pictures: tuple[Picture, ...]


Block = Text | Items | Code | Figures | Table | Drawing | Pictures


@dataclass(frozen=True)
class Section:
    """A part of a document under a heading.

    Attributes:
        title: The heading.
        anchor: Its name in addresses: letters and dashes.
        blocks: What it holds.
    """

    title: str
    anchor: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole document.

    Attributes:
        title: Its title.
        subtitle: One line below it.
        sections: Its parts.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
