"""What the other pages are drawn with, loaded by the browser while the first page is read.

Streamlit's browser side loads the script of each kind of element with the first
element of its kind, and has no way of its own to ask for it earlier. Some are
heavy: that of the charts is 4.7 MB, which takes a browser about a second to
read. Without this, every page begins with such a wait when it is first opened.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

_FOLDER = Path(st.__file__).parent / "static" / "static" / "js"
ELEMENTS = (
    "Selectbox",
    "ButtonGroup",
    "Metric",
    "Checkbox",
    "NumberInput",
    "TextInput",
    "Slider",
    "DownloadButton",
    "Multiselect",
    "DataFrame",
    "PlotlyChart",
)
"""The kinds that the other pages begin with: the light and common ones first."""
_WAIT = 1000
"""Milliseconds after which the page has been drawn."""
_SCRIPT = """<script>
(() => {{
    const names = {names};
    const whenIdle = window.requestIdleCallback ?? setTimeout;
    const next = () => names.length && whenIdle(() =>
        import(new URL(`static/js/${{names.shift()}}`, document.baseURI)).then(next, next));
    setTimeout(next, {wait});
}})();
</script>"""


def load() -> None:
    """Lets the browser load them once this page is drawn, one by one, whenever it is idle."""
    names = file_names()
    if names:
        st.html(_SCRIPT.format(names=json.dumps(names), wait=_WAIT), unsafe_allow_javascript=True)


@cache
def file_names() -> list[str]:
    """The scripts' names in this Streamlit's files, each with a hash of its content in it.

    Those that another Streamlit does not have are left out: they load as they would
    without this.
    """
    found = ([path.name for path in _FOLDER.glob(f"{name}.*.js")] for name in ELEMENTS)
    return [name for names in found if len(names) == 1 for name in names]
