import csv
import io
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.evaluation import calibration, confusion, overview, page, per_class
from app.evaluation.choice import Choice
from app.evaluation.desk import Desk, open_desk, scoring_work
from app.jobs import Work
from app.recognition import load_settings
from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import OverlayStore, exclude, relabel
from pipeline.evaluation import PredictionStore, evaluate
from pipeline.files import write_json
from pipeline.home import PROJECT_ROOT, Home
from pipeline.progress import Cancelled, Progress
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.runs import RunStore
from tests.served_models import bar_faces, make_model

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
FinishJobs = Callable[[AppTest], AppTest]

PAGE = "pages/evaluation.py"
TABS = {title.partition(": ")[2]: title for title in page.TABS}


@pytest.fixture
def bars(home: Home) -> Dataset:
    """Bars in the three splits, 14, 14 and 28; the first five of test are labelled wrongly."""
    labels = np.arange(56, dtype=np.uint8) % 7
    images = bar_faces(labels)
    labels[28:33] = (labels[28:33] + 1) % 7
    images[34] = images[6]
    store = DatasetStore(home.data)
    with store.writer("bars") as writer:
        writer.append(images, labels, np.repeat(np.arange(3, dtype=np.uint8), [14, 14, 28]))
        writer.finish(title="Bars", source="test", kind="test")
    return store.open("bars")


@pytest.fixture
def model(bars: Dataset, tmp_path: Path) -> Path:
    """A shipped model, trained on the bars, without stored figures."""
    trained_on = {"name": "bars", "title": "Bars", "fingerprint": bars.meta.fingerprint}
    return make_model(
        tmp_path / "shipped" / "sight",
        gain=0.02,
        temperature=2.0,
        unsure_below=0.3,
        dataset={**trained_on, "synthetic": False},
    )


@pytest.fixture
def stored(bars: Dataset, model: Path) -> Path:
    """The model with its stored figures of validation and test."""
    classifier = EmotionClassifier.load(model)
    reports = {
        split.value: evaluate(classifier, bars, split).to_dict()
        for split in (Split.VALIDATION, Split.TEST)
    }
    write_json(model / "evaluation.json", reports)
    return model


@pytest.fixture
def desk(bars: Dataset, model: Path) -> Callable[..., Desk]:
    """What the tabs get, with the images scored."""

    def scored(**changes: object) -> Desk:
        entry = resources.models().resolve(model.name)
        overlay = OverlayStore(resources.home().data).load(bars)
        choice = Choice(entry, entry.contract(), {}, bars, overlay, False, Split.TEST, "none")
        choice = replace(choice, **changes)
        PredictionStore(resources.home().cache).get(model, bars, choice.split, tta=choice.tta)
        return open_desk(choice)

    return scored


def text_of(app: AppTest, key: str) -> str:
    return str(app.selectbox(key=key).value)


def remarks(app: AppTest) -> str:
    return "\n".join(item.value for item in app.info)


class TestFrame:
    def test_without_a_model_it_says_what_to_do(
        self, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        assert "No model yet" in texts(open_page(PAGE))
        assert not home.root.exists()

    def test_stored_figures_open_at_once_without_a_dataset(
        self, stored: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        shutil.rmtree(home.data)
        app = open_page(PAGE)
        words = texts(app)
        assert not resources.jobs().list()
        assert text_of(app, "evaluation_split_shipped") == "test"
        assert "82.1 %" in words
        for name, missing in (
            ("Confusion", None),
            ("Per class", "The curves are not here"),
            ("Calibration", "The reliability diagram and its figures are not here"),
        ):
            app.session_state["evaluation_tab"] = TABS[name]
            words = texts(app.run())
            assert missing is None or missing in words

    def test_without_stored_figures_and_dataset_there_is_nothing_to_show(
        self, model: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        shutil.rmtree(home.data)
        assert "Nothing to evaluate it on" in texts(open_page(PAGE))

    def test_stored_figures_show_while_the_images_are_scored(
        self, stored: Path, open_page: OpenPage, finish_jobs: FinishJobs, texts: Texts
    ) -> None:
        app = open_page(PAGE)
        assert "82.1 %" in texts(app)
        (job,) = resources.jobs().list()
        assert (job.kind, job.title) == ("scoring", "sight on bars")
        words = texts(finish_jobs(app))
        assert "answers to 28 images are ready" in words
        assert "82.1 %" in words

    def test_without_stored_figures_they_are_computed_once(
        self,
        model: Path,
        open_page: OpenPage,
        finish_jobs: FinishJobs,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        opened = threading.Event()

        def held(*args: Any) -> Work:
            def work(progress: Progress) -> str:
                assert opened.wait(30)
                return scoring_work(*args)(progress)

            return work

        monkeypatch.setattr("app.evaluation.desk.scoring_work", held)
        app = open_page(PAGE)
        assert "The figures are on their way" in texts(app)
        opened.set()
        assert "82.1 %" in texts(finish_jobs(app))
        resources.jobs().dismiss(resources.jobs().list()[0].id)
        # A new session, or a restart, finds them.
        assert "82.1 %" in texts(open_page(PAGE))
        assert not resources.jobs().list()

    def test_after_a_cancel_it_waits_to_be_asked(
        self,
        model: Path,
        open_page: OpenPage,
        finish_jobs: FinishJobs,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def cancelled(*args: object) -> Work:
            def work(progress: Progress) -> str:
                raise Cancelled("by the test")

            return work

        with monkeypatch.context() as patch:
            patch.setattr("app.evaluation.desk.scoring_work", cancelled)
            app = finish_jobs(open_page(PAGE))
            assert "The figures are not known yet" in texts(finish_jobs(app.run()))
        app.button(key="score_images").click().run()
        assert "82.1 %" in texts(finish_jobs(app))

    def test_a_link_names_the_model(
        self, stored: Path, open_page: OpenPage, finish_jobs: FinishJobs, texts: Texts
    ) -> None:
        shutil.copytree(stored, stored.parent / "other")
        app = open_page()
        app.switch_page(str(PROJECT_ROOT / PAGE))
        app.query_params["model"] = "other"
        app.run()
        assert text_of(app, "evaluation_model") == "other"
        assert "other (dense" in texts(app)
        app.selectbox(key="evaluation_model").select("sight").run()
        assert app.query_params["model"] == "sight"
        app.query_params["model"] = "gone"
        app.run()
        assert "Not here any more: gone" in app.warning[0].value
        assert text_of(app, "evaluation_model") == "sight"

    def test_the_test_split_of_a_shipped_model_is_not_carried_over_to_ones_own(
        self, home: Home, stored: Path, open_page: OpenPage, finish_jobs: FinishJobs
    ) -> None:
        run = RunStore(home.runs).create({"epochs": 1, "dataset": "bars"}, name="own")
        shutil.copytree(stored, run.folder, dirs_exist_ok=True)
        app = open_page(PAGE)
        assert text_of(app, "evaluation_split_shipped") == "test"
        app.selectbox(key="evaluation_model").select("own").run()
        assert text_of(app, "evaluation_split_own") == "validation"
        finish_jobs(app)

    def test_a_damaged_model_leaves_the_choice_of_another(
        self, stored: Path, open_page: OpenPage, texts: Texts
    ) -> None:
        shutil.copytree(stored, stored.parent / "broken")
        (stored.parent / "broken" / "evaluation.json").write_text("{")
        app = open_page(PAGE)
        app.selectbox(key="evaluation_model").select("broken").run()
        assert "is damaged" in texts(app)
        app.selectbox(key="evaluation_model").select("sight").run()
        assert "82.1 %" in texts(app)

    def test_other_data_than_it_was_trained_on_are_pointed_out(
        self, bars: Dataset, stored: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        with DatasetStore(home.data).writer("others") as writer:
            labels = np.zeros(3, np.uint8)
            writer.append(bar_faces(labels), labels, np.arange(3, dtype=np.uint8))
            writer.finish(title="Others", source="test", kind="test", synthetic=True)
        app = open_page(PAGE)
        # Its own data come first, whatever dataset is active.
        assert text_of(app, "evaluation_dataset_sight") == "bars"
        app.selectbox(key="evaluation_dataset_sight").select("others").run()
        words = texts(app)
        assert "trained on **other data** (Bars)" in remarks(app)
        assert "These faces are **drawn**" in remarks(app)
        assert "82.1 %" not in words  # the stored figures are of other images

    def test_the_images_it_learned_from_are_pointed_out(
        self, stored: Path, open_page: OpenPage
    ) -> None:
        app = open_page(PAGE)
        assert not app.info
        app.selectbox(key="evaluation_split_shipped").select(Split.TRAIN).run()
        assert "learned from these very images" in remarks(app)

    def test_edits_change_the_figures_only_if_they_are_asked_for(
        self,
        bars: Dataset,
        stored: Path,
        home: Home,
        open_page: OpenPage,
        finish_jobs: FinishJobs,
        texts: Texts,
    ) -> None:
        store = OverlayStore(home.data)
        store.add(bars, relabel([28], int(bars.labels[35])), based_on=0)
        store.add(bars, exclude([29]), based_on=1)
        app = finish_jobs(open_page(PAGE))
        assert "82.1 %" in texts(app)
        app.selectbox(key="evaluation_edits").select(True).run()
        words = texts(app)
        # One wrong label was made right, one left out: 24 of 27.
        assert "88.9 %" in words
        assert "by your edits, version 2" in words
        assert len(resources.jobs().list()) == 1
        scored = evaluate(EmotionClassifier.load(stored), store.load(bars).apply(bars), Split.TEST)
        assert f"{scored.clean.accuracy:.1%}".replace("%", " %") in words


class TestHeadline:
    def test_figures_equal_those_of_the_command_line(
        self, bars: Dataset, model: Path, desk: Callable[..., Desk]
    ) -> None:
        scored = evaluate(EmotionClassifier.load(model), bars, Split.TEST, tta="flip")
        report = desk(tta="flip").report
        assert replace(report, latency_ms=None) == replace(scored, latency_ms=None)

    def test_table_and_marks(self, desk: Callable[..., Desk]) -> None:
        report = desk().report
        table = overview.figure_table(overview.figures(report)).set_index("figure")
        assert table.loc["Accuracy", "value"] == pytest.approx(23 / 28)
        assert table.loc["Accuracy", "low"] < 23 / 28 < table.loc["Accuracy", "high"]
        assert table.loc["Clean accuracy", "value"] == pytest.approx(22 / 27)
        whole, clean, always = overview.marks(report)
        assert whole.value > clean.value > always.value == 5 / 28
        assert always.name.startswith("Always")

    def test_others_are_not_held_against_drawn_faces(
        self, stored: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        shutil.rmtree(home.data)
        app = open_page(PAGE)
        assert "beside that of others" in texts(app)
        assert not app.table
        app.session_state["headline_sources"] = True
        (sources,) = app.run().table
        assert sources.value["Source"].str.len().min() > 0
        text = (stored / "evaluation.json").read_text()
        (stored / "evaluation.json").write_text(
            text.replace('"synthetic": false', '"synthetic": true')
        )
        assert "beside that of others" not in texts(open_page(PAGE))


class TestConfusion:
    def test_a_pair_opens_its_images(
        self, model: Path, evaluation_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        app = evaluation_tab("Confusion")
        words = texts(app)
        assert "Choose a cell in the matrix" in words
        assert "**Disgust → Angry**: 1 of the disgust images (25.0 %) are called angry" in words
        app.button(key="pair_1_0").click().run()
        assert "**1** disgust images (25.0 % of them) are called angry" in texts(app)
        assert (text_of(app, "confusion_true"), text_of(app, "confusion_predicted")) == ("1", "0")

    def test_without_the_images_the_matrix_is_there(
        self, stored: Path, home: Home, open_page: OpenPage, texts: Texts
    ) -> None:
        shutil.rmtree(home.data)
        app = open_page(PAGE)
        app.session_state["evaluation_tab"] = TABS["Confusion"]
        words = texts(app.run())
        assert "**Disgust → Angry**: 1 of the disgust images (25.0 %) are called angry" in words
        # Nothing leads to images that are not here; the page says how to get them.
        assert "once the dataset is imported" in words
        assert "pair_1_0" not in [button.key for button in app.button]
        assert "confusion_true" not in [box.key for box in app.selectbox]

    def test_a_click_names_its_cell(self) -> None:
        point = {"customdata": [2, 4, 30, 0.75], "x": "Sad", "y": "Fear"}
        assert confusion.clicked_cell({"selection": {"points": [point]}}) == (2, 4)
        assert confusion.clicked_cell({"selection": {"points": []}}) is None

    def test_images_of_a_cell_the_most_confident_first(self, desk: Callable[..., Desk]) -> None:
        found = desk()
        places = confusion.cell_places(found.predictions, 3, 3)
        assert found.predictions.labels[places].tolist() == [3] * len(places)
        assert (np.diff(found.predictions.confidence[places]) <= 0).all()
        table = confusion.image_table(found, places)
        assert table["index"].tolist() == found.predictions.indices[places].tolist()
        assert set(table["label"]) == set(table["predicted"]) == {"happy"}
        shares = table[list(found.report.labels)].sum(axis=1)
        assert shares.tolist() == pytest.approx([1] * len(places))

    def test_the_table_to_save_is_the_matrix(self, desk: Callable[..., Desk]) -> None:
        matrix = np.array(desk().report.confusion_matrix)
        rows = list(csv.reader(io.StringIO(confusion.matrix_table(matrix).to_csv(index=False))))
        assert rows[0][:3] == ["true", "Angry", "Disgust"]
        assert [list(map(int, row[1:])) for row in rows[1:]] == matrix.tolist()


class TestPerClass:
    def test_scores_and_areas(
        self, model: Path, desk: Callable[..., Desk], evaluation_tab: Callable[[str], AppTest]
    ) -> None:
        found = desk()
        table = per_class.class_table(found.report, per_class.all_curves(found.predictions))
        score = found.report.per_class["happy"]
        row = table.set_index("class").loc["Happy"]
        assert (row["precision"], row["images"]) == (score.precision, score.support)
        assert row["guess"] == pytest.approx(score.support / 28)
        assert 0.5 < row["AUC"] <= 1
        shown = evaluation_tab("Per class").dataframe[0].value.set_index("class")
        assert shown.loc["Happy", "precision"] == pytest.approx(100 * score.precision)
        assert shown.loc["Happy", "AP"] == row["AP"]  # of 1, as the legend of the curves has it

    def test_a_class_without_images_has_no_curve(self, desk: Callable[..., Desk]) -> None:
        found = desk().predictions
        few = replace(
            found,
            indices=found.indices[:2],
            labels=found.labels[:2],
            probabilities=found.probabilities[:2],
        )
        assert sorted(per_class.all_curves(few)) == sorted(set(few.labels.tolist()))


class TestCalibration:
    def test_before_is_what_the_network_said(
        self, bars: Dataset, model: Path, desk: Callable[..., Desk]
    ) -> None:
        found = calibration.answers(desk())
        before, after = found.values()
        test = bars.images[bars.indices(Split.TEST)]
        classifier = EmotionClassifier.load(model)
        raw = classifier.scores(test, calibrated=False).probabilities
        assert before == pytest.approx(raw, abs=1e-5)
        assert after == pytest.approx(classifier.scores(test).probabilities, abs=1e-6)
        assert before.max() > after.max()

    def test_averaged_views_have_no_before(self, desk: Callable[..., Desk]) -> None:
        assert list(calibration.answers(desk(tta="flip"))) == ["After calibration"]

    def test_the_slider_sets_the_threshold_of_all_pages(
        self, model: Path, home: Home, evaluation_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        app = evaluation_tab("Calibration")
        assert app.slider(key="unsure_below_sight").value == 30
        app.slider(key="unsure_below_sight").set_value(95).run()
        assert load_settings(home).unsure_below == 0.95
        assert {metric.label: metric.value for metric in app.metric}["Answered"] == "0.0\u00a0%"
        app.button(key="unsure_reset").click().run()
        assert load_settings(home).unsure_below is None
        assert app.slider(key="unsure_below_sight").value == 30
        assert "Photo, video, live and the JSON interface use it" in texts(app)

    def test_the_slider_of_another_model_sets_nothing(
        self, stored: Path, home: Home, evaluation_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        shutil.copytree(stored, stored.parent / "other")
        app = evaluation_tab("Calibration")
        app.selectbox(key="evaluation_model").select("sight").run()
        app.slider(key="unsure_below_sight").set_value(80).run()
        assert load_settings(home).unsure_below is None
        assert "To look at only" in texts(app)
        assert app.slider(key="unsure_below_sight").value == 80

    def test_tables_to_save(self, desk: Callable[..., Desk]) -> None:
        found = desk()
        table = calibration.reliability_table(found)
        assert table.groupby("probabilities")["answers"].sum().tolist() == [28, 28]
