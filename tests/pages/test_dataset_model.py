"""What the dataset page shows with the help of a model: maps, and labels that it doubts."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.dataset_page import label_errors
from app.dataset_page.desk import Desk
from app.dataset_page.edits import describe
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset import maps as maps_module
from pipeline.dataset.overlay import OverlayStore, exclude, undo
from pipeline.evaluation.label_errors import LabelErrorStore
from pipeline.home import Home
from pipeline.recognition.contract import MODEL_ONNX
from tests.served_models import bar_faces, make_model

Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]
OpenTab = Callable[[str], AppTest]

# Of these images the label is not that of the bar that they show.
WRONG = {3: 1, 20: 2, 27: 2}


@pytest.fixture
def bars(home: Home) -> Dataset:
    """Bars under their labels, save for three: one in each split."""
    labels = (np.arange(28) % 7).astype(np.uint8)
    images = bar_faces(labels)
    labels[list(WRONG)] = list(WRONG.values())
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat([0, 1, 2], (14, 7, 7)).astype(np.uint8))
        writer.finish(title="Bars", source="/x/bars.csv", kind="csv")
    return store.open("bars")


@pytest.fixture
def model(home: Home, bars: Dataset, tmp_path: Path) -> Path:
    """A model that tells the bars apart, and was trained on them."""
    learned = {"name": "bars", "fingerprint": bars.meta.fingerprint, "synthetic": False}
    return make_model(tmp_path / "shipped" / "reader", gain=0.5, dataset=learned)


@pytest.fixture
def label_tab(dataset_tab: OpenTab) -> AppTest:
    app = dataset_tab("Quality")
    return app.segmented_control(key="quality_view").set_value("Likely label errors").run()


class TestMap:
    @pytest.fixture(autouse=True)
    def few_steps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(maps_module, "_EARLY_STEPS", 10)
        monkeypatch.setattr(maps_module, "_STEPS", 10)

    def test_of_the_model_is_computed_once_on_request(
        self, model: Path, dataset_tab: OpenTab, finish_jobs: FinishJobs, texts: Texts
    ) -> None:
        app = dataset_tab("Map")
        assert app.get("plotly_chart")
        app.segmented_control(key="map_of").set_value("Active model").run()
        app.segmented_control(key="map_method").set_value("tsne").run()
        assert "t-SNE of what reader sees, 28 images" in texts(app)
        assert not app.get("plotly_chart")
        app.button(key="map_compute").click().run()
        assert "The map of 28 images is ready" in texts(finish_jobs(app))
        assert app.get("plotly_chart")
        assert "cannot tell apart lies together" in texts(app)
        # Another session finds it, and the other maps still are to be computed.
        app = dataset_tab("Map")
        app.segmented_control(key="map_of").set_value("Active model").run()
        assert "not computed yet" in texts(app)
        app.segmented_control(key="map_method").set_value("tsne").run()
        assert app.get("plotly_chart")

    def test_a_sample_says_so(
        self, model: Path, dataset_tab: OpenTab, texts: Texts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.dataset_page.image_map.MOST_IMAGES", 14)
        assert " of 28 images are drawn: a random sample" in texts(dataset_tab("Map"))

    def test_without_a_model_says_what_to_do(
        self, bars: Dataset, dataset_tab: OpenTab, texts: Texts
    ) -> None:
        app = dataset_tab("Map")
        app.segmented_control(key="map_of").set_value("Active model").run()
        assert "No model yet" in texts(app)
        assert not app.get("plotly_chart")

    def test_a_broken_model_is_one_sentence(self, model: Path, dataset_tab: OpenTab) -> None:
        (model / MODEL_ONNX).unlink()
        app = dataset_tab("Map")
        app.segmented_control(key="map_of").set_value("Active model").run()
        assert not app.exception
        assert MODEL_ONNX in app.error[0].value


class TestLabelErrors:
    @pytest.fixture
    def ranked(self, model: Path, label_tab: AppTest, finish_jobs: FinishJobs) -> AppTest:
        return finish_jobs(label_tab.button(key="label_errors_rank").click().run())

    def test_unseen_splits_are_ranked_first_and_kept(
        self, model: Path, label_tab: AppTest, finish_jobs: FinishJobs, texts: Texts
    ) -> None:
        words = texts(label_tab)
        assert "The model answers 14 images once" in words
        assert "out of sample, save for copies" in words
        app = finish_jobs(label_tab.button(key="label_errors_rank").click().run())
        words = texts(app)
        assert "The labels of 14 images are ranked" in words
        assert "contradicts **2** of 14 labels" in words
        app.pills(key="label_errors_splits").set_value(list(Split)).run()
        words = texts(app)
        assert "These labels are not ranked yet" in words
        assert "the scores are optimistic" in words
        app = finish_jobs(app.button(key="label_errors_rank").click().run())
        assert "contradicts **3** of 28 labels" in texts(app)
        app.pills(key="label_errors_splits").set_value([Split.TEST]).run()
        assert "contradicts **1** of 7 labels" in texts(app)
        app.pills(key="label_errors_splits").set_value([]).run()
        assert "Choose one split" in app.info[0].value

    def test_the_page_can_be_relabelled_or_excluded(
        self, home: Home, bars: Dataset, ranked: AppTest
    ) -> None:
        store = OverlayStore(home.data)
        app = ranked.button(key="label_errors_label").click().run()
        assert store.load(bars).relabelled == {20: 6, 27: 6}
        # What is edited is not edited again.
        assert app.button(key="label_errors_block").disabled
        store.add(bars, exclude([20]), based_on=1)
        assert store.load(bars).edits[0].note == "Likely label error"

    def test_relabelling_the_page_is_one_edit_whatever_the_labels(
        self, home: Home, bars: Dataset, ranked: AppTest, finish_jobs: FinishJobs
    ) -> None:
        store = OverlayStore(home.data)
        app = ranked.pills(key="label_errors_splits").set_value(list(Split)).run()
        app = finish_jobs(app.button(key="label_errors_rank").click().run())
        app = app.button(key="label_errors_label").click().run()
        edited = store.load(bars)
        assert (edited.version, edited.relabelled) == (1, {3: 3, 20: 6, 27: 6})
        assert describe(edited.edits[0]) == "Relabelled 3 images as happy, neutral"
        store.add(bars, undo(), based_on=1)
        assert store.load(bars).relabelled == {}

    def test_an_edit_elsewhere_keeps_all_of_them_from_being_made(
        self, home: Home, bars: Dataset, ranked: AppTest
    ) -> None:
        store = OverlayStore(home.data)
        store.add(bars, exclude([5]), based_on=0)
        app = ranked.button(key="label_errors_block").click().run()
        assert "changed elsewhere" in app.error[0].value
        assert store.load(bars).excluded == {5}

    def test_votes_tell_how_far_to_trust_the_order(
        self, home: Home, bars: Dataset, ranked: AppTest, texts: Texts
    ) -> None:
        votes = np.zeros((28, 10), np.uint8)
        votes[:14, 0] = 10
        votes[14:, 1] = 10  # happiness, which two of the 14 are
        votes[20, 1] = 0
        resources.datasets().attach_votes("bars", votes, "/x/votes.csv")
        words = texts(ranked.run())
        assert "Of the first 2, 50.0 % have an FER+ majority for another label" in words
        assert "of all judged, 78.6 %" in words

    def test_export_has_the_ranking(self, home: Home, bars: Dataset, ranked: AppTest) -> None:
        entry = resources.models().list()[0]
        found = LabelErrorStore(home.cache).load(entry.folder, bars, Split.TEST)
        assert found is not None
        desk = Desk(bars, None, OverlayStore(home.data).load(bars))
        text = label_errors.ranking_table(desk, found).to_csv(index=False)
        (row,) = csv.DictReader(io.StringIO(text))
        assert (row["rank"], row["index"], row["split"]) == ("1", "27", "test")
        assert (row["label"], row["suggested"]) == ("fear", "neutral")
        assert 0 <= float(row["score"]) < 0.5

    def test_without_a_model_says_what_to_do(
        self, bars: Dataset, dataset_tab: OpenTab, texts: Texts
    ) -> None:
        app = dataset_tab("Quality")
        app.segmented_control(key="quality_view").set_value("Likely label errors").run()
        assert "No model yet" in texts(app)

    def test_data_of_an_earlier_training_are_not_out_of_sample(
        self, bars: Dataset, tmp_path: Path
    ) -> None:
        make_model(
            tmp_path / "shipped" / "further",
            dataset={"fingerprint": "x", "synthetic": True},
            handed_down=(bars.meta.fingerprint,),
        )
        (entry,) = resources.models().list()
        assert not entry.contract().synthetic
        assert "optimistic" in label_errors.honesty(entry, bars, list(Split))

    def test_says_when_the_model_learned_from_other_data(
        self, bars: Dataset, tmp_path: Path
    ) -> None:
        make_model(tmp_path / "shipped" / "drawn", dataset={"fingerprint": "x", "synthetic": True})
        (entry,) = resources.models().list()
        words = label_errors.honesty(entry, bars, list(Split))
        assert "other data of drawn faces" in words
        assert "out of sample" not in words
        assert "optimistic" not in words
