"""Text from outside in files that spreadsheet programs open."""

from __future__ import annotations

from typing import Any

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: Any) -> Any:
    """A cell of a CSV file that no spreadsheet program takes for a formula.

    Of text that would be one, such as the title `=HYPERLINK(…)`, an apostrophe before
    it makes text (OWASP, CSV Injection). All else stays as it is, numbers written as
    text too.

    Args:
        cell: Any value; only a string can be taken for a formula.
    """
    if not isinstance(cell, str) or not cell.startswith(_BEGINS_FORMULA) or _is_number(cell):
        return cell
    return f"'{cell}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
