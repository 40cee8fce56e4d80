import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.runs import RunStatus, RunStore, write_history, write_state
from pipeline.training.config import TrainingConfig
from tests.served_models import make_model

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]
_ROW, _TICK = 35, 18
"""Pixels: the height of a table's row, and how far from its left edge it is ticked."""


def make_runs(home: Path, folder: Path) -> RunStore:
    store = RunStore(home / "runs")
    for name in ("first", "second", "third"):
        config = {**TrainingConfig(architecture="vgg").to_dict(), "dataset": "faces"}
        run = store.create(config, name=name)
        write_state(run, replace(run.state, status=RunStatus.FINISHED))
        epoch = {"epoch": 1, "val_accuracy": 0.6, "val_macro_f1": 0.5, "seconds": 3.0}
        write_history(run, [{**epoch, "is_best": True}])
        shutil.copytree(make_model(folder / name), run.folder, dirs_exist_ok=True)
    return store


def test_runs_go_and_come(filled_home: Path, visit: Visit, tmp_path: Path) -> None:
    store = make_runs(filled_home, tmp_path)
    page = visit()
    page.get_by_role("link", name="Runs", exact=True).click()
    # Ticked in the table: one, then two, then one again.
    table = page.get_by_test_id("stDataFrame")
    expect(page.get_by_role("button", name="Watch")).to_be_disabled()
    for row, number in ((1, 1), (2, 2), (2, 1)):
        table.click(position={"x": _TICK, "y": _ROW * row + _ROW // 2})
        expect(page.get_by_role("button", name="Compare")).to_be_enabled(enabled=number == 2)
        expect(page.get_by_role("button", name="Watch")).to_be_enabled(enabled=number == 1)
    # Out as a file, away, back again, and in from the file under another name.
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Without checkpoints").click()
    download.value.save_as(tmp_path / "third.zip")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted third.")).to_be_visible()
    assert {run.id for run in store.list()} == {"first", "second"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("third is back.")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "third.zip")
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("“third-2” is among the runs now")).to_be_visible()
    assert store.get("third-2").has_model
