from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pipeline.home import Home

OpenPage = Callable[..., AppTest]


def test_says_what_the_law_asks_and_where_things_are_kept(
    open_page: OpenPage, texts: Callable[[AppTest], str], home: Home
) -> None:
    app = open_page("pages/responsible_use.py")
    words = texts(app)
    for expected in ("Barrett et al. 2019", "Article 5(1)(f)", "Article 50(3)", "never"):
        assert expected in words
    assert str(home.data) in words
    assert str(home.runs) in words


@pytest.mark.parametrize("page", ["photo", "video", "live"])
def test_pages_that_recognize_faces_lead_there(open_page: OpenPage, page: str) -> None:
    app = open_page(f"pages/{page}.py")
    links = [link.proto.label for link in app.get("page_link")]
    assert "What an expression can and cannot tell" in links
