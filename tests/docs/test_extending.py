"""The row that docs/extending.md gives to a network works where it says to put it."""

import importlib.util
import re
import sys
from pathlib import Path

from pipeline.home import PROJECT_ROOT
from pipeline.training.architectures import registry
from pipeline.training.config import TrainingConfig

EXAMPLE = re.compile(r"```python\n([\s(]*Architecture\(.*?)```", re.DOTALL)
BEFORE = '        Architecture(\n            name="vgg",'


def test_the_row_of_the_example_is_one_of_the_list(tmp_path: Path) -> None:
    (row,) = EXAMPLE.findall((PROJECT_ROOT / "docs" / "extending.md").read_text())
    source = Path(registry.__file__).read_text()
    assert source.count(BEFORE) == 1
    path = tmp_path / "extended.py"
    path.write_text(source.replace(BEFORE, row + BEFORE))
    spec = importlib.util.spec_from_file_location("extended", path)
    assert spec is not None
    assert spec.loader is not None
    extended = importlib.util.module_from_spec(spec)
    sys.modules["extended"] = extended  # where dataclasses look for it
    try:
        spec.loader.exec_module(extended)
    finally:
        del sys.modules["extended"]
    names = extended.names()
    assert names[names.index("vgg") - 1] == "conv_mixer"
    extended.get("conv_mixer").check(TrainingConfig(width=0.5))
