import json
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app import resources
from app.dataset_page import look
from app.dataset_page import page as dataset_page
from app.evaluation import page as evaluation_page
from pipeline.dataset import Dataset, DatasetStore
from pipeline.evaluation.report import (
    ClassScore,
    CleanScore,
    DatasetReference,
    EvaluationReport,
)
from pipeline.home import PROJECT_ROOT, Home
from pipeline.labels import NAMES
from pipeline.preprocessing import Preprocessing
from pipeline.recognition.contract import ModelContract

OpenPage = Callable[..., AppTest]
OpenTab = Callable[[str], AppTest]
FinishJobs = Callable[[AppTest], AppTest]

ROUTER = PROJECT_ROOT / "streamlit_app.py"
DATASET_TABS = {title.split()[-1]: title for title in dataset_page.TABS}
EVALUATION_TABS = {title.partition(": ")[2]: title for title in evaluation_page.TABS}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty home, with no model shipped either."""
    monkeypatch.setenv("FERLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        "app.resources.models",
        lambda: resources.ModelCatalog(resources.home(), shipped=tmp_path / "shipped"),
    )
    yield Home.from_environment()
    resources.jobs().close()
    st.cache_resource.clear()


@pytest.fixture(scope="session", autouse=True)
def packages_are_looked_through_once() -> Iterator[None]:
    """Streamlit looks for components in all installed packages at the start of each test app.

    That takes longer than most pages, and what is installed stays the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner,
            "scan_component_manifests",
            cache(manifest_scanner.scan_component_manifests),
        )
        yield


@pytest.fixture
def open_page(home: Home) -> Callable[..., AppTest]:
    """Opens a page through the router, as a browser does."""

    def run(page: str | None = None) -> AppTest:
        app = AppTest.from_file(str(ROUTER), default_timeout=30).run()
        return app.switch_page(str(PROJECT_ROOT / page)).run() if page else app

    return run


@pytest.fixture
def write_dataset(home: Home) -> Callable[..., Dataset]:
    def write(name: str, *, number: int = 21, synthetic: bool = False, shade: int = 90) -> Dataset:
        labels = (np.arange(number) % 7).astype(np.uint8)
        splits = (np.arange(number) % 3).astype(np.uint8)
        store = DatasetStore(home.data)
        with store.writer(name) as writer:
            writer.append(np.full((number, 48, 48), shade, np.uint8), labels, splits)
            writer.finish(
                title=name.title(), source=f"/x/{name}.csv", kind="csv", synthetic=synthetic
            )
        return store.open(name)

    return write


@pytest.fixture
def write_model() -> Callable[..., None]:
    def write(folder: Path, *, synthetic: bool = False, evaluated: bool = True) -> None:
        reference: dict[str, Any] = {"name": "demo", "fingerprint": "ab", "synthetic": synthetic}
        ModelContract(
            name=folder.name,
            architecture="seed_cnn",
            preprocessing=Preprocessing(),
            temperature=1.0,
            unsure_below=0.4,
            dataset={**reference, "title": "Demo faces"},
            training={},
            num_parameters=2_360_000,
            num_macs=1,
            versions={},
            created="2026-03-01T12:00:00+00:00",
        ).save(folder)
        if evaluated:
            report = EvaluationReport(
                model=folder.name,
                dataset=DatasetReference(**reference),
                split="test",
                tta="none",
                num_samples=3589,
                accuracy=0.668,
                accuracy_ci95=(0.652, 0.683),
                macro_f1=0.638,
                macro_f1_ci95=(0.62, 0.655),
                balanced_accuracy=0.63,
                top2_accuracy=0.8,
                clean=CleanScore(3301, 0.662, (0.646, 0.678)),
                per_class={name: ClassScore(0.6, 0.6, 0.6, 500) for name in NAMES},
                confusion_matrix=tuple(tuple(0 for _ in NAMES) for _ in NAMES),
                ece=0.02,
                nll=1.0,
                threshold=0.4,
                coverage=0.9,
                answered_accuracy=0.7,
                latency_ms=1.3,
            )
            (folder / "evaluation.json").write_text(json.dumps({"test": report.to_dict()}))

    return write


def _words(html: str) -> str:
    content = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


@pytest.fixture
def texts() -> Callable[[AppTest], str]:
    """All words on a page, as Markdown without escapes; of HTML its words alone.

    Spaces that do not break are as others.
    """

    def read(app: AppTest) -> str:
        assert not app.exception, app.exception[0].message
        kinds = (app.title, app.markdown, app.caption, app.code, app.error, app.success, app.metric)
        words = [str(element.value) for kind in kinds for element in kind]
        words += [element.label for kind in (app.metric, app.button) for element in kind]
        words += [_words(element.proto.body) for element in app.get("html")]
        return "\n".join(words).replace("\\", "").replace("\u00a0", " ")

    return read


@pytest.fixture
def plain_tables() -> Callable[[AppTest], dict[str, pd.DataFrame]]:
    """The plain tables of a page by their labels: all cells are words, rows go by their first.

    Spaces that do not break are as others.
    """

    def read(app: AppTest) -> dict[str, pd.DataFrame]:
        found = {}
        for element in app.get("html"):
            markup = re.search(r'<div class="fl-table".*</div>', element.proto.body, re.DOTALL)
            if markup:
                table = ElementTree.fromstring(markup.group())
                head, *rows = [
                    ["".join(cell.itertext()).replace("\u00a0", " ") for cell in row]
                    for row in table.iter("tr")
                ]
                frame = pd.DataFrame(rows, columns=head)
                found[table.attrib["aria-label"]] = frame.set_index(head[0])
        return found

    return read


@pytest.fixture
def finish_jobs(home: Home) -> Callable[[AppTest], AppTest]:
    """Waits for the background jobs and lets the page show what came of them."""

    def finish(app: AppTest) -> AppTest:
        deadline = time.monotonic() + 60
        while True:
            while any(job.is_running for job in resources.jobs().list()):
                assert time.monotonic() < deadline, "a job does not end"
                time.sleep(0.02)
            app.run()
            # The page begins now what had to wait for another job of its kind.
            if not any(job.is_running for job in resources.jobs().list()):
                return app

    return finish


@pytest.fixture
def dataset_tab(open_page: OpenPage, finish_jobs: FinishJobs) -> OpenTab:
    """Opens one tab of the dataset page, by its title, with the inspection done."""
    return _tabs_of("dataset", open_page, finish_jobs, look.TABS, DATASET_TABS)


@pytest.fixture
def evaluation_tab(open_page: OpenPage, finish_jobs: FinishJobs) -> OpenTab:
    """Opens one tab of the evaluation page, by its title, with the images scored."""
    return _tabs_of("evaluation", open_page, finish_jobs, "evaluation_tab", EVALUATION_TABS)


def _tabs_of(
    page: str, open_page: OpenPage, finish_jobs: FinishJobs, key: str, titles: dict[str, str]
) -> OpenTab:
    def run(name: str) -> AppTest:
        app = finish_jobs(open_page(f"pages/{page}.py"))
        app.session_state[key] = titles[name]
        return app.run()

    return run
