import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting import render
from pipeline.reporting.blocks import (
    Code,
    Document,
    Drawing,
    Figure,
    Figures,
    Items,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from pipeline.reporting.drawings import Line, Span, bars, chart, ranges

EVIL = '<script>alert(1)</script> & "x" | `y` *z* [w](http://u) $m$'

DOCUMENT = Document(
    EVIL,
    EVIL,
    (
        Section(
            EVIL,
            "one",
            (
                Text(EVIL),
                Text("mind this", is_note=True),
                Items(((EVIL, EVIL), ("", "no lead"))),
                Code(f"{EVIL} ```"),
                Figures((Figure(EVIL, EVIL, EVIL),)),
                Table(("a", "b"), ((EVIL, "1.5 %"), ("x", "—")), EVIL, ((0.5,), (0.0,))),
                Drawing("<svg></svg>", EVIL, Table(("c", "d"), ((EVIL, EVIL),))),
                Drawing("<svg></svg>", "without numbers"),
                Pictures((Picture(b"\x89PNG", EVIL),)),
            ),
        ),
    ),
)


class Reader(HTMLParser):
    """Notes what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_escapes_everything() -> None:
    page = render(DOCUMENT, ".html")
    read = Reader(page)
    assert read.open == []
    assert "script" not in read.tags
    # Five times around the blocks, and thirteen in them.
    assert read.text.count("<script>alert(1)</script>") == 18
    assert page.count("http") == page.count("http://u") + page.count("http-equiv")


def test_markdown_escapes_everything() -> None:
    text = render(DOCUMENT, ".md")
    outside = re.sub(r"````.*?````", "", text, flags=re.DOTALL)
    assert "<script>" not in outside.replace(r"\<script\>", "")
    assert r"\[w\](http://u)" in outside
    assert re.search(r"````\n.*```\n````", text)
    assert "> mind this" in text
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) in (3, 4)


def test_markdown_has_the_numbers_of_a_drawing_once() -> None:
    text = render(DOCUMENT, ".md")
    assert "| c | d |" in text
    assert "<svg>" not in text
    assert "without numbers" not in text


def test_numbers_are_flush_right_and_words_are_not() -> None:
    table = Table(("name", "number", "text"), (("x", "1,234", "two"), ("y", "−0.5", "3 apples")))
    assert [table.is_numeric(column) for column in range(3)] == [False, True, False]


def test_another_form_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\.html or \.md, got '\.pdf'"):
        render(DOCUMENT, ".pdf")


def points(svg: str, kind: str) -> list[tuple[float, float]]:
    names = {"circle": ("cx", "cy"), "rect": ("x", "width")}[kind]
    return [
        (float(item.attrib[names[0]]), float(item.attrib[names[1]]))
        for item in ET.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{kind}")
    ]


def test_chart_puts_points_where_they_belong() -> None:
    svg = chart(
        [Line("<a>", ((0.0, 0.5), (0.5, 0.75), (1.0, 1.0)), "red")],
        x_title="x",
        y_title="y",
        y_low=0.5,
    )
    (x0, y0), (x1, y1), (x2, y2) = points(svg, "circle")
    assert x1 == pytest.approx((x0 + x2) / 2)
    assert y1 == pytest.approx((y0 + y2) / 2)
    assert y2 < y0
    assert "<a>" in "".join(ET.fromstring(svg).itertext())


def test_bars_are_as_long_as_their_shares() -> None:
    svg = bars(["a", "b"], [("one", [0.25, 1.0], "red"), ("two", [0.5, 0.0], "blue")])
    lengths = [width for _, width in points(svg, "rect")][2:]
    assert lengths == pytest.approx([lengths[2] / 4, lengths[2] / 2, lengths[2], 0])


def test_ranges_mark_the_figure_between_its_ends() -> None:
    svg = ranges([Span("m", 0.4, 0.5, 0.6, True), Span("other", 0.6, None, 0.7, False)])
    ((x, _),) = points(svg, "circle")
    root = ET.fromstring(svg)
    thick = [
        (float(line.attrib["x1"]), float(line.attrib["x2"]))
        for line in root.iter("{http://www.w3.org/2000/svg}line")
        if line.attrib["stroke-width"] == "3"
    ]
    assert thick[0][0] < x < thick[0][1] == thick[1][0]
    assert "60 to 70 %" in "".join(root.itertext())
