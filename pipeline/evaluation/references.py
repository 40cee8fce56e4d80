"""What others are known, or said, to achieve on FER-2013: the lines to hold results against."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.dataset import Split
from pipeline.errors import PipelineError
from pipeline.evaluation.report import EvaluationReport
from pipeline.files import read_json

REFERENCES = Path(__file__).with_name("references.json")
"""The rows that ship with the program; add one there."""

_UNSTATED = "unstated"


class Kind(StrEnum):
    """Where a figure comes from."""

    PUBLISHED = "published"
    MEASURED = "measured"


@dataclass(frozen=True)
class Reference:
    """A figure of somebody else's, on the whole of FER-2013's seven classes.

    Attributes:
        name: The network, or who answered.
        low: The accuracy, or the lower end of its range, in `[0, 1]`.
        high: The upper end; equal to `low` for a single figure.
        split: The part of FER-2013 that it was taken on; `None` if the source
            does not say.
        kind: Claimed by its source, or measured for this project.
        source: Where it is stated, in words.
        url: The source's address, `https://`, if it has one.

    Raises:
        PipelineError: If a value is out of its range.
    """

    name: str
    low: float
    high: float
    split: Split | None
    kind: Kind
    source: str
    url: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.source.strip():
            raise PipelineError(f"a reference needs a name and a source, got {self!r}")
        if not 0 <= self.low <= self.high <= 1:
            raise PipelineError(
                f"reference {self.name!r}: expected 0 <= low <= high <= 1, got {self.low!r} and "
                f"{self.high!r}"
            )
        if self.url is not None and not self.url.startswith("https://"):
            raise PipelineError(
                f"reference {self.name!r}: expected an https address, got {self.url!r}"
            )


def load_references(path: Path = REFERENCES) -> tuple[Reference, ...]:
    """Reads the reference rows, in the order of the file.

    Args:
        path: A JSON list of objects with the fields of `Reference`.

    Raises:
        PipelineError: If the file is missing or damaged, or a row is not valid,
            or two have one name.
    """
    try:
        rows = read_json(path)
    except (OSError, ValueError) as error:
        raise PipelineError(f"the reference rows {path} cannot be read: {error}") from error
    if not isinstance(rows, list):
        raise PipelineError(f"{path}: expected a list of references, got {type(rows).__name__}")
    found = tuple(_parse(row, path) for row in rows)
    names = [item.name for item in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(f"{path} has more than one reference named {', '.join(twice)}")
    return found


def beside(report: EvaluationReport) -> tuple[Reference, ...]:
    """The rows that a report may stand beside.

    None if it is on drawings, of which what others achieve on photographs says
    nothing, or by edited labels, which are not those that others were judged by.
    """
    data = report.dataset
    return () if data.synthetic or data.overlay_version is not None else load_references()


def _parse(row: Any, path: Path) -> Reference:
    known = {item.name for item in fields(Reference)}
    needed = known - {"url"}
    if not isinstance(row, dict) or not needed <= set(row) <= known:
        raise PipelineError(
            f"{path}: expected a reference with {', '.join(sorted(needed))} and perhaps url, "
            f"got {row!r}"
        )
    try:
        split = None if row["split"] == _UNSTATED else Split(row["split"])
        limits = {name: float(row[name]) for name in ("low", "high")}
        return Reference(**{**row, **limits, "split": split, "kind": Kind(row["kind"])})
    except (ValueError, TypeError, AttributeError) as error:
        raise PipelineError(f"{path}: reference {row['name']!r} is not valid: {error}") from error
