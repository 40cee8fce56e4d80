import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ModelLoadError
from pipeline.labels import NAMES
from pipeline.preprocessing import Preprocessing
from pipeline.recognition.contract import CONTRACT, ModelContract, OperatingPoint
from tests.served_models import make_contract


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    contract = make_contract(
        preprocessing=Preprocessing(size=64, clahe=True),
        temperature=1.7,
        unsure_below=0.4,
        face_margin=0.1,
        trade_off=(OperatingPoint(0.0, 1.0, 0.7), OperatingPoint(0.9, 0.0, None)),
    )
    contract.save(tmp_path)
    assert ModelContract.load(tmp_path) == contract


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "expected 1: export the model again"),
        ({"labels": list(NAMES[::-1])}, "in this order"),
        ({"preprocessing": {"size": 50}}, "input size must be one of"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"temperature": "hot"}, "damaged"),
        ({"unsure_below": 1.2}, r"unsure_below must be in \[0, 1\]"),
        ({"face_margin": -0.5}, "face_margin must be above -0.5"),
        ({"trade_off": [{"threshold": 0}]}, "damaged"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_damaged_contract_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    make_contract().save(tmp_path)
    path = tmp_path / CONTRACT
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelLoadError, match=message):
        ModelContract.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '"text"', "null"])
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / CONTRACT).write_text(text)
    with pytest.raises(ModelLoadError, match="is damaged"):
        ModelContract.load(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / CONTRACT).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelLoadError, match="is damaged"):
        ModelContract.load(tmp_path)


def test_folder_without_a_contract_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"contract\.json is missing"):
        ModelContract.load(tmp_path)
