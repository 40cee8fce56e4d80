"""The Errors tab: a wrong label is found, looked at, put right and learned from."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.evaluation import errors, errors_detail
from app.evaluation.desk import Desk
from app.evaluation.page import TABS
from app.training import draft
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import LATEST, OverlayStore
from pipeline.evaluation import PredictionStore
from pipeline.evaluation.mistakes import PeopleSay, confident_mistakes
from pipeline.home import Home
from tests.served_models import bar_faces, make_model

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]

ERRORS = next(title for title, draw in TABS.items() if draw is errors.tab)
PLANTED = 10
"""A training image of the fourth class (happy), labelled sad."""
HAPPY, SAD = 3, 4


@pytest.fixture
def bars(home: Home) -> Dataset:
    """Bars, of which one training image has a wrong label and a twin among the test images."""
    labels = np.arange(210, dtype=np.uint8) % 7
    images = bar_faces(labels)
    images[150] = images[PLANTED]
    labels[150], labels[PLANTED] = HAPPY, SAD
    votes = np.zeros((210, 10), np.uint8)
    votes[:, 1] = 10  # everyone says happiness
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), 70))
        writer.finish(title="Bars", source="test", kind="test")
    return store.attach_votes("bars", votes, "votes.csv")


@pytest.fixture
def model(home: Home, bars: Dataset, tmp_path: Path) -> Path:
    """A model that tells every bar, trained on these."""
    trained = {
        "name": "bars",
        "title": "Bars",
        "synthetic": False,
        "fingerprint": bars.meta.fingerprint,
    }
    folder = make_model(tmp_path / "sight", name="sight", dataset=trained, gain=0.2)
    resources.models().activate(str(folder))
    return folder


@pytest.fixture
def open_errors(
    model: Path, open_page: OpenPage, finish_jobs: FinishJobs
) -> Callable[[Split], AppTest]:
    """Opens the tab on a split, with the images scored."""

    def run(split: Split) -> AppTest:
        app = open_page("pages/evaluation.py")
        app.selectbox(key="evaluation_split_own").set_value(split).run()
        app = finish_jobs(app)
        app.session_state["evaluation_tab"] = ERRORS
        return app.run()

    return run


class TestWrongLabel:
    def test_is_found_relabelled_and_learned_from(
        self, home: Home, bars: Dataset, open_errors: Callable[[Split], AppTest], texts: Texts
    ) -> None:
        app = open_errors(Split.TRAIN)
        app.segmented_control(key="errors_kind").set_value("Likely label errors").run()
        words = texts(app)
        assert "**1** images" in words
        assert "learned from these very images" in words
        app.button(key="errors_look").click().run()
        words = texts(app)
        assert f"Image {PLANTED}, training" in words
        assert "Labelled **sad**, looks **happy**" in words
        assert "People say what the model says" in words
        assert "the very same picture is in the dataset 2 times under different labels" in (
            app.warning[0].value.lower()
        )
        # What the model says is what is offered.
        app.button(key="detail_relabel").click().run()
        stored = OverlayStore(home.data)
        next_training = stored.edited(bars, LATEST)
        assert next_training.labels[PLANTED] == HAPPY
        assert PLANTED in next_training.indices(Split.TRAIN)
        assert stored.load(bars).relabelled == {PLANTED: HAPPY}

    def test_put_right_changes_the_figures_and_the_next_training(
        self, home: Home, bars: Dataset, open_errors: Callable[[Split], AppTest], texts: Texts
    ) -> None:
        app = open_errors(Split.TRAIN)
        app.button(key="errors_look").click().run()
        app.button(key="detail_relabel").click().run()
        # The dialog is closed by this, as by its cross.
        app = app.run()
        words = texts(app)
        assert "**Your edits** (version 1): 1 relabelled." in words
        assert "**98.6 %** by the official labels, **100.0 %** by yours" in words
        app.selectbox(key="evaluation_edits").set_value(True).run()
        assert "No image passes" in app.info[-1].value
        app.button(key="errors_train").click().run()
        assert (draft.load(home).dataset, draft.load(home).edits) == ("bars", LATEST)

    def test_can_be_undone(
        self, home: Home, bars: Dataset, open_errors: Callable[[Split], AppTest]
    ) -> None:
        app = open_errors(Split.TRAIN)
        app.button(key="errors_look").click().run()
        app.button(key="detail_exclude").click().run()
        assert OverlayStore(home.data).load(bars).excluded == {PLANTED}
        app.run().button(key="errors_undo").click().run()
        assert not OverlayStore(home.data).load(bars).excluded
        assert not app.error


class TestLists:
    def test_filters_and_export(
        self, open_errors: Callable[[Split], AppTest], texts: Texts
    ) -> None:
        app = open_errors(Split.TRAIN)
        app.segmented_control(key="errors_kind").set_value("Least confident hits").run()
        assert "**69** images" in texts(app)
        app.multiselect(key="errors_true").set_value([HAPPY]).run()
        assert "**9** images" in texts(app)
        app.multiselect(key="errors_predicted").set_value([SAD]).run()
        assert "No image passes" in app.info[-1].value
        assert app.button(key="errors_look").disabled

    def test_one_after_the_other(
        self, open_errors: Callable[[Split], AppTest], texts: Texts
    ) -> None:
        app = open_errors(Split.TRAIN)
        app.segmented_control(key="errors_kind").set_value("Least confident hits").run()
        app.button(key="errors_look").click().run()
        assert app.number_input(key="errors_place").value == 1
        assert "of 69" in texts(app)
        assert app.button(key="errors_before").disabled
        first, second, *_ = app.session_state["errors_list"][0]
        app.button(key="errors_after").click().run()
        # AppTest knows no fragments: it runs the whole page, which closes the large view.
        assert app.session_state["errors_index"] == second != first
        # It goes on where it was left.
        app.button(key="errors_look").click().run()
        assert app.number_input(key="errors_place").value == 2

    def test_before_the_images_are_scored_says_so(
        self,
        model: Path,
        open_page: OpenPage,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("app.evaluation.desk._start_once", lambda choice, dataset: None)
            app = open_page("pages/evaluation.py")
            app.session_state["evaluation_tab"] = ERRORS
            assert "The answers to single images are not known yet" in texts(app.run())


def test_neighbours_by_the_network_once_it_has_read_the_faces(
    open_errors: Callable[[Split], AppTest], finish_jobs: FinishJobs, texts: Texts
) -> None:
    app = open_errors(Split.TRAIN)
    app.button(key="errors_look").click().run()
    assert "Nearest training faces by their pixels" in texts(app)
    app = app.run()
    app.button(key="errors_features").click().run()
    app = finish_jobs(app)
    assert "70 training faces is known" in texts(app)
    assert not [button for button in app.button if button.key == "errors_features"]
    app.button(key="errors_look").click().run()
    assert "Nearest training faces to the network" in texts(app)


def test_export_has_answers_and_votes(home: Home, bars: Dataset, model: Path) -> None:
    entry = resources.models().resolve(str(model))
    found = PredictionStore(home.cache).get(model, bars, Split.TRAIN)
    desk = Desk(entry, entry.contract(), bars, None, False, Split.TRAIN, "none", None, found, found)
    written = errors.image_table(desk, confident_mistakes(found)).to_csv(index=False)
    (row,) = pd.read_csv(io.StringIO(written)).to_dict("records")
    assert (row["index"], row["label"], row["predicted"]) == (PLANTED, "sad", "happy")
    assert row["p_happy"] == row["confidence"] > 0.5
    assert row["votes_happiness"] == 10


def test_words_for_what_people_say() -> None:
    cast = np.array([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], np.uint8)
    words = errors_detail.people_words(PeopleSay.SPLIT, cast)
    assert words == "**People split here too**: neutral 5, happiness 5."
    assert "No votes" in errors_detail.people_words(None, np.zeros(10, np.uint8))
