from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest


def shown(script: Callable[[], None]) -> Any:
    app = AppTest.from_function(script).run()
    assert not app.exception
    return app


def test_a_short_table_is_written_out() -> None:
    def script() -> None:
        import pandas as pd

        from app import tables

        table = pd.DataFrame(
            {
                "class": ["<b>happy", "sad"],
                "images": [8989, 547],
                "change": [-1200, 0],
                "share %": [25.06, float("nan")],
                "weight": [0.5, 1.25],
                "remark": [None, "rare"],
            }
        )
        tables.plain_table("Classes", table, "classes", formats={"weight": "%.3f"})

    app = shown(script)
    (element,) = app.get("html")
    html = element.proto.body
    for heading in ("Class", "Images", "Change", "Share %", "Weight", "Remark"):
        assert f">{heading}</th>" in html
    for *numbers, remark in (
        ("8,989", "−1,200", "25.1", "0.500", "—"),
        ("547", "0", "—", "1.250", "rare"),
    ):
        cells = "".join(f'<td class="number">{word}</td>' for word in numbers)
        assert f"{cells}<td>{remark}</td>" in html
    assert '<th scope="row">&lt;b&gt;happy</th>' in html
    (button,) = app.get("download_button")
    assert button.proto.label == "CSV"


def test_a_long_table_names_its_columns_for_people() -> None:
    def script() -> None:
        import pandas as pd

        from app import tables

        table = pd.DataFrame({"class": ["sad"], "images": [8989], "share %": [25.06]})
        tables.data_frame(table, key="classes", alt="Classes")

    (frame,) = shown(script).dataframe
    assert list(frame.value.columns) == ["class", "images", "share %"]
    for name, title in (("class", "Class"), ("images", "Images"), ("share %", "Share %")):
        assert f'"{name}": {{"label": "{title}"' in frame.proto.columns
