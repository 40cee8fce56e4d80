import sys
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import tables

Show = Callable[[Callable[[], None]], Any]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Runs a page that is a function."""
    # Streamlit leaves the page as `__main__`, which a process that is spawned later would run.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def run(page: Callable[[], None]) -> Any:
        app = AppTest.from_function(page).run()
        assert not app.exception
        return app

    return run


def test_a_plain_table_is_written_out(show: Show) -> None:
    def page() -> None:
        import pandas as pd

        from app import tables

        table = pd.DataFrame(
            {
                "class": ["<b>happy", "sad"],
                "images": [8989, 547],
                "change": [-1200, 0],
                "share %": [25.06, float("nan")],
                "weight": [-0.0004, 1.25],
                "remark": [None, "rare"],
            }
        )
        tables.plain_table("Classes", table, "classes", what="Classes", digits={"weight": 3})

    app = show(page)
    (element,) = app.get("html")
    html = element.proto.body
    for heading in ("Class", "Images", "Change", "Share %", "Weight", "Remark"):
        assert f">{heading}</th>" in html
    for *numbers, remark in (
        ("8,989", "−1,200", "25.1", "0.000", "—"),
        ("547", "0", "—", "1.250", "rare"),
    ):
        cells = "".join(f'<td class="number">{word}</td>' for word in numbers)
        assert f"{cells}<td>{remark}</td>" in html
    assert '<th scope="row">&lt;b&gt;happy</th>' in html
    (button,) = app.get("download_button")
    assert button.proto.label == "Classes as CSV"


def test_a_saved_table_holds_no_formula_and_its_numbers_stay() -> None:
    table = pd.DataFrame(
        {
            "origin": ["=1+1.png", "a.png", None],
            "change": [-0.5, float("nan"), 0.25],
            "as text": ["-0.5", "+1", "-x"],
            "number": [-1, 2, 3],
            "-x": [True, False, True],
        }
    )
    assert tables.to_csv(table).splitlines() == [
        "origin,change,as text,number,'-x",
        "'=1+1.png,-0.5,-0.5,-1,True",
        "a.png,,+1,2,False",
        ",0.25,'-x,3,True",
    ]
    empty = table[:0]
    assert tables.to_csv(empty) == "origin,change,as text,number,'-x\n"


def test_a_data_frame_names_its_columns_for_people(show: Show) -> None:
    def page() -> None:
        import pandas as pd

        from app import tables

        table = pd.DataFrame({"class": ["sad"], "images": [8989], "share %": [25.06]})
        tables.data_frame(table, key="classes", alt="Classes")

    (frame,) = show(page).dataframe
    assert list(frame.value.columns) == ["class", "images", "share %"]
    for name, title in (("class", "Class"), ("images", "Images"), ("share %", "Share %")):
        assert f'"{name}": {{"label": "{title}"' in frame.proto.columns
