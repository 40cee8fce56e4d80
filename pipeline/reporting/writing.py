"""A report as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.files import write_text
from pipeline.reporting.blocks import Document
from pipeline.reporting.markdown import to_markdown
from pipeline.reporting.page import to_html

SUFFIXES: dict[str, Callable[[Document], str]] = {".html": to_html, ".md": to_markdown}
"""The forms of a report, by how the file's name ends."""


def render(document: Document, suffix: str) -> str:
    """Writes a document out.

    Raises:
        ConfigError: If there is no such form.
    """
    if suffix not in SUFFIXES:
        raise ConfigError(f"a report's file name ends in {' or '.join(SUFFIXES)}, got {suffix!r}")
    return SUFFIXES[suffix](document)


def write_report(document: Document, out: Path) -> None:
    """Replaces a file by a report, in the form that its name ends in.

    Raises:
        ConfigError: If it ends otherwise.
    """
    write_text(out, render(document, out.suffix))
