"""Tables of figures, and saving them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import plain_html, views
from pipeline.spreadsheets import harmless


def download(table: Callable[[], pd.DataFrame], name: str, *, label: str) -> None:
    """A button that saves a table.

    Args:
        table: Makes it; called when the button is pressed.
        name: Of the file, without its ending.
        label: Of the button; no other of the page has the same.
    """
    st.download_button(
        label,
        lambda: to_csv(table()).encode("utf-8"),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        on_click="ignore",
        help=f"Save as {name}.csv",
    )


def to_csv(table: pd.DataFrame) -> str:
    """The text of a CSV file; names of files and of runs in it are no formulas."""
    columns = {
        name: column if column.dtype.kind in "biuf" else list(map(harmless, column))
        for name, column in table.items()
    }
    return pd.DataFrame(columns).rename(columns=harmless).to_csv(index=False)


def heading(title: str, table: pd.DataFrame, name: str, *, what: str) -> None:
    """The title of a table, and beside it the button that saves it.

    Args:
        title: What it holds, as plain text.
        table: The table.
        name: Of the file, without its ending.
        what: In a word what is saved, for the button: no other of the page says the same.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        views.heading(views.plain(title), width="stretch")
        download(table.copy, name, label=f"{what} as CSV")


def data_frame(table: pd.DataFrame, *, key: str, alt: str) -> None:
    """A table of any length, to sort and to search; in a file its columns keep their own names.

    Args:
        table: A row for each thing.
        key: Of the element.
        alt: What it holds, for those who cannot see it.
    """
    columns: dict[str, Any] = {}
    for name in table.columns:
        title, kind = _title(name), table[name].dtype.kind
        if kind in "iu":
            columns[name] = st.column_config.NumberColumn(title, format="localized")
        elif kind == "f":
            columns[name] = st.column_config.NumberColumn(title, format="%.1f")
        else:
            columns[name] = st.column_config.Column(title)
    st.dataframe(table, hide_index=True, key=key, alt=alt, placeholder="—", column_config=columns)


def plain_table(
    title: str,
    table: pd.DataFrame,
    name: str,
    *,
    what: str,
    digits: Mapping[str, int] | None = None,
) -> None:
    """A table to be seen whole, under its title and beside the button that saves it.

    It is plain HTML, which a browser has drawn long before a data frame.

    Args:
        title: What it holds, as plain text.
        table: A row for each thing, a dozen at most.
        name: Of the file to save, without its ending.
        what: As in `heading`.
        digits: How many decimals columns of fractions have, by name; the others
            have one.
    """
    heading(title, table, name, what=what)
    columns = {_title(column): _words(table[column], digits or {}) for column in table.columns}
    numbers = {_title(column) for column in table.columns if table[column].dtype.kind in "iuf"}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    st.html(plain_html.table(rows, numbers=numbers, label=title))


def _title(column: str) -> str:
    return column[:1].upper() + column[1:]


def _words(column: pd.Series[Any], digits: Mapping[str, int]) -> list[str]:
    kind = column.dtype.kind
    number = f"z,.{digits.get(str(column.name), 1)}f" if kind == "f" else ","

    def words(value: Any) -> str:
        if pd.isna(value):
            return "—"
        if kind not in "iuf":
            return str(value)
        return format(value, number).replace("-", "−")

    return [words(value) for value in column]
