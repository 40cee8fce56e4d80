from pathlib import Path

import pytest

from app import scripts_ahead


def test_this_streamlit_has_each_of_them() -> None:
    names = scripts_ahead.file_names()
    assert [name.partition(".")[0] for name in names] == list(scripts_ahead.ELEMENTS)


def test_another_streamlit_may_lack_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("Slider.one.js", "Metric.one.js", "Metric.two.js", "SliderX.one.js"):
        (tmp_path / name).touch()
    monkeypatch.setattr(scripts_ahead, "_FOLDER", tmp_path)
    assert scripts_ahead.file_names.__wrapped__() == ["Slider.one.js"]
