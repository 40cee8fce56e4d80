"""The Stress tab: run once, shown at once, compared with what others came to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.evaluation import stress, stress_faces
from app.evaluation.page import TABS
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.evaluation.corruptions import CORRUPTIONS, corrupt
from pipeline.evaluation.stress import StressStore
from pipeline.home import Home
from pipeline.progress import Cancelled
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.runs import RunStore
from tests.served_models import bar_faces, make_model

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]

STRESS = next(title for title, draw in TABS.items() if draw is stress.tab)


@pytest.fixture
def bars(home: Home) -> Dataset:
    labels = np.arange(42, dtype=np.uint8) % 7
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(bar_faces(labels), labels, np.repeat(np.arange(3, dtype=np.uint8), 14))
        writer.finish(title="Bars", source="test", kind="test", synthetic=True)
    return store.open("bars")


@pytest.fixture
def write_run(home: Home, bars: Dataset) -> Callable[..., Path]:
    def write(name: str, **changes: object) -> Path:
        folder = RunStore(home.runs).create({}, name=name).folder
        trained = {
            "name": "bars",
            "title": "Bars",
            "synthetic": True,
            "fingerprint": bars.meta.fingerprint,
        }
        made = make_model(home.root / f"made-{name}", name=name, dataset=trained, **changes)
        for path in made.iterdir():
            path.replace(folder / path.name)
        return folder

    return write


@pytest.fixture
def open_stress(open_page: OpenPage, finish_jobs: FinishJobs) -> Callable[[], AppTest]:
    def run() -> AppTest:
        app = finish_jobs(open_page("pages/evaluation.py"))
        app.session_state["evaluation_tab"] = STRESS
        return app.run()

    return run


def test_is_run_in_the_background_and_kept(
    write_run: Callable[..., Path],
    open_stress: Callable[[], AppTest],
    finish_jobs: FinishJobs,
    texts: Texts,
) -> None:
    write_run("first")
    app = open_stress()
    assert "has not been run" in texts(app)
    app.button(key="stress_run").click().run()
    words = texts(finish_jobs(app))
    assert "of the accuracy is left on average" in words
    assert "14 images of bars" in words
    assert "Synthetic" in words
    assert "Run the bench for other models too" in words
    resources.jobs().dismiss(resources.jobs().list()[-1].id)
    assert "14 images of bars" in texts(open_stress())


def test_cancelled_it_waits_to_be_asked_again(
    write_run: Callable[..., Path],
    open_stress: Callable[[], AppTest],
    finish_jobs: FinishJobs,
    texts: Texts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_run("first")

    def cancelled(*args: object, **more: object) -> None:
        raise Cancelled("by the test")

    monkeypatch.setattr("pipeline.evaluation.stress.stress", cancelled)
    app = open_stress()
    app.button(key="stress_run").click().run()
    assert "has not been run" in texts(finish_jobs(app))


def test_models_on_the_same_faces_are_compared(
    home: Home,
    bars: Dataset,
    write_run: Callable[..., Path],
    open_stress: Callable[[], AppTest],
    plain_tables: Callable[[AppTest], dict[str, pd.DataFrame]],
) -> None:
    folders = [write_run("strong"), write_run("weak", gain=0.01), write_run("untried")]
    for folder in folders[:2]:
        StressStore(home.cache).get(folder, bars, Split.VALIDATION)
    app = open_stress()
    app.selectbox(key="evaluation_model").set_value("weak").run()
    (table,) = plain_tables(app).values()
    assert sorted(table.index) == ["strong", "weak"]
    assert table["Accuracy as they are %"].tolist() == ["100.0", "100.0"]


def test_table_puts_the_most_robust_first(home: Home, bars: Dataset, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    found = StressStore(home.cache).get(model, bars, Split.TEST)
    better = replace(found, model="better", robustness=0.99, robustness_ci95=(0.9, 1.0))
    lost = replace(found, model="lost", robustness=None, robustness_ci95=None)
    table = stress.model_table([found, lost, better])
    assert table["model"].tolist() == ["better", "bars", "lost"]
    assert table["95 % interval"].tolist()[0] == "90.0 to 100.0\u00a0%"
    assert table["95 % interval"].tolist()[2] == "—"
    rows = stress.corruption_table(found).set_index("corruption")
    assert rows.loc["Darker", ["0", "5", "mean", "left %", "changed %"]].tolist() == [
        100, 100, 100, 100, 0,
    ]  # fmt: skip
    assert rows.loc["Eyes hidden", "left %"] < 100


def faces_shown(app: AppTest) -> str:
    (strip,) = (item.proto.body for item in app.get("html") if "<img" in item.proto.body)
    return strip


def test_faces_show_what_was_done_and_what_the_model_says(
    home: Home,
    bars: Dataset,
    write_run: Callable[..., Path],
    open_stress: Callable[[], AppTest],
    texts: Texts,
) -> None:
    folder = write_run("first")
    StressStore(home.cache).get(folder, bars, Split.VALIDATION)
    app = open_stress()
    assert "Choose a corruption" in texts(app)
    app.selectbox(key="stress_corruption").set_value("eyes").run()
    shown = faces_shown(app)
    assert shown.count("<img") == 4 * 6
    app.button(key="stress_other_faces").click().run()
    assert faces_shown(app) != shown
    classifier = EmotionClassifier.load(folder)
    faces, labels = bar_faces(np.array([3])), np.array([3], np.uint8)
    strip = stress_faces.strip(classifier, faces, labels, "eyes")
    answers = [classifier.scores(corrupt(faces, "eyes", k)).labels[0] for k in range(6)]
    assert strip.count("✓") == answers.count(3)
    assert strip.count("✗") == 6 - answers.count(3) > 0
    assert CORRUPTIONS["eyes"].words(5) in strip
    assert strip.count("\u00a0%</figure>") == 6  # on a phone lines end within an answer
