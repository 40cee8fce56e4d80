import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import resources, state
from app.dataset_page import balance, look, page, preview, quality
from pipeline.dataset import SPLITS, Dataset, DatasetStore, ferplus
from pipeline.dataset.overlay import LATEST, OverlayStore, exclude, relabel
from pipeline.dataset.quality import inspect
from pipeline.dataset.resampling import Scheme
from pipeline.dataset.synthetic import draw_face
from pipeline.home import Home
from pipeline.labels import NAMES
from pipeline.training.config import TrainingConfig

OpenPage = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
PlainTables = Callable[[AppTest], dict[str, pd.DataFrame]]
FinishJobs = Callable[[AppTest], AppTest]

PAGE = "pages/dataset.py"
TABS = {title.split()[-1]: title for title in page.TABS}
NUMBER = 28


@pytest.fixture
def faces(home: Home) -> Dataset:
    """Drawn faces; the last, a test image, is the first, a training image, relabelled."""
    rng = np.random.default_rng(0)
    images = np.stack([draw_face(NAMES[index % 7], rng) for index in range(NUMBER)])
    images[NUMBER - 1] = images[0]
    store = DatasetStore(home.data)
    with store.writer("faces") as writer:
        splits = np.array([0] * 14 + [1] * 7 + [2] * 7, np.uint8)
        writer.append(images, (np.arange(NUMBER) % 7).astype(np.uint8), splits)
        writer.finish(title="Some faces", source="/x/faces.csv", kind="csv")
    return store.open("faces")


@pytest.fixture
def votes(faces: Dataset) -> Dataset:
    cast = np.zeros((NUMBER, 10), np.uint8)
    cast[:, 1] = 10
    cast[5] = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
    return resources.datasets().attach_votes("faces", cast, "/x/votes.csv")


def votes_text(dataset: Dataset) -> str:
    """A file of FER+ votes for a dataset: all ten are for happiness."""
    header = ",".join(["Usage", "Image name", *ferplus.COLUMNS])
    usages = (SPLITS[code].usage for code in dataset.split_codes)
    return "\n".join([header, *(f"{usage},x.png,0,10{',0' * 8}" for usage in usages)]) + "\n"


class TestWithoutData:
    def test_says_what_to_do(self, home: Home, open_page: OpenPage, texts: Texts) -> None:
        app = open_page(PAGE)
        assert "No dataset yet" in texts(app)
        assert app.button(key="import_submit")
        assert not home.root.exists()


class TestBalance:
    def test_comes_first_and_needs_no_inspection(
        self, faces: Dataset, open_page: OpenPage, texts: Texts, plain_tables: PlainTables
    ) -> None:
        app = open_page(PAGE)
        words = texts(app)
        assert "Some faces · 28 images" in words
        assert "Training: all equal" in words
        counts, weights = plain_tables(app).values()
        assert counts["All"].tolist() == ["4"] * 7
        assert counts["Training %"].tolist() == ["14.3"] * 7
        assert {"None", "Balanced", "Effective", "Copies"} < set(weights.columns)
        assert weights["Balanced"].tolist() == ["1.000"] * 7
        saved = [button.label for button in app.get("download_button")]
        assert saved == ["Counts as CSV", "Weights as CSV"]

    def test_shares_are_rounded_once(self, faces: Dataset) -> None:
        counts = {"train": [8989, 26898, 0, 0, 0, 0, 0], "validation": [0] * 7, "test": [0] * 7}
        table = balance.count_table(replace(faces.meta, counts=counts))
        assert f"{table['Training %'][0]:.1f}" == "25.0"

    def test_says_what_fewer_images_and_another_sampling_would_change(
        self, home: Home, open_page: OpenPage, plain_tables: PlainTables
    ) -> None:
        labels = np.array([3] * 20 + [1] * 10 + [0, 2, 4, 5, 6] * 10, np.uint8)
        store = DatasetStore(home.data)
        with store.writer("skewed") as writer:
            writer.append(np.zeros((80, 48, 48), np.uint8), labels, np.zeros(80, np.uint8))
            writer.finish(title="Skewed", source="/x/skewed.csv", kind="csv")
        app = open_page(PAGE)
        app.session_state[balance.RESAMPLING] = True
        app = app.run().slider(key="resampling_share").set_value(50).run()
        app = app.selectbox(key="resampling_scheme").set_value(Scheme.OVERSAMPLE).run()
        table = plain_tables(app)["Training images an epoch"]
        assert table.loc["Happy", ["Now", "Then", "Change", "Times an image"]].tolist() == [
            *("20", "10", "−10", "1.00")
        ]
        repeated = table.loc["Disgust", ["Now", "Then", "Times an image"]]
        assert repeated.tolist() == ["10", "10", "2.00"]
        values = {metric.label: metric.value for metric in app.metric}
        assert values["Images an epoch"] == "70"
        assert values["Different images"] == "40"
        assert values["Largest to smallest"] == "1.0 to 1"
        assert values["Most often drawn"] == "2.0 ×"

    def test_weights_are_those_of_training(self) -> None:
        labels = np.array([3] * 30 + [1] * 10, np.uint8)
        table = balance.weight_table(labels).set_index("class")
        assert table.loc["Happy", "balanced"] == pytest.approx(2 / 3, abs=1e-3)
        assert table.loc["Disgust", "balanced"] == pytest.approx(2, abs=1e-3)
        assert table.loc["Disgust", "copies"] == 3
        assert table.loc["Angry", "balanced"] == table.loc["Angry", "copies"] == 0

    def test_a_class_without_images_has_no_ratio(self, faces: Dataset) -> None:
        from dataclasses import replace

        counts = {"train": [5, 0, 1, 1, 1, 1, 1], "validation": [0] * 7, "test": [2, 1] * 3 + [4]}
        words = balance.imbalance_words(replace(faces.meta, counts=counts))
        assert "Training: no image of disgust" in words
        assert "Validation: no images" in words
        assert "Test: **4.0 to 1** (neutral to disgust)" in words
        counts["test"] = [3] * 7
        assert "Test: all equal" in balance.imbalance_words(replace(faces.meta, counts=counts))


class TestInspection:
    def test_starts_by_itself_once_and_is_kept(
        self, faces: Dataset, open_page: OpenPage, finish_jobs: FinishJobs, texts: Texts
    ) -> None:
        app = open_page(PAGE)
        (job,) = resources.jobs().list()
        assert job.kind == "inspection"
        assert "28 images are ready" in texts(finish_jobs(app))
        resources.jobs().dismiss(job.id)
        # A new session, or a restart, finds it done.
        open_page(PAGE)
        assert not resources.jobs().list()

    def test_after_a_cancel_it_waits_to_be_asked(
        self,
        faces: Dataset,
        open_page: OpenPage,
        finish_jobs: FinishJobs,
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def cancelled(store: DatasetStore, name: str):
            from pipeline.progress import Cancelled

            def work(progress) -> str:
                raise Cancelled("by the test")

            return work

        with monkeypatch.context() as patch:
            patch.setattr("app.dataset_page.desk.inspection_work", cancelled)
            app = finish_jobs(open_page(PAGE))
            app.session_state[look.TABS] = TABS["Quality"]
            assert "Copies and faults are not known yet" in texts(finish_jobs(app.run()))
        app.button(key="inspect").click().run()
        assert "identical with a training image" in texts(finish_jobs(app))


class TestLook:
    def test_filters_narrow_the_grid(
        self, faces: Dataset, dataset_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        app = dataset_tab("Look")
        assert "**28** images" in texts(app)
        app.multiselect(key="look_classes").set_value([0]).run()
        assert "**4** images" in texts(app)
        app.selectbox(key="look_copies").set_value("Identical copy").run()
        assert "**1** images" in texts(app)
        app.multiselect(key="look_classes").set_value([1]).run()
        assert "No image passes" in app.info[0].value
        # They stay while another tab is open.
        app.session_state[look.TABS] = TABS["Balance"]
        app.run()
        app.session_state[look.TABS] = TABS["Look"]
        assert app.run().multiselect(key="look_classes").value == [1]

    def test_page_stays_within_what_is_left(
        self, faces: Dataset, dataset_tab: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(look, "PAGE_SIZES", (10, 20))
        app = dataset_tab("Look")
        app.number_input(key="look_page").set_value(3).run()
        shown = list(range(4))
        left = int(np.isin(faces.labels, shown).sum())
        assert 10 < left <= 20  # two pages
        app.multiselect(key="look_classes").set_value(shown).run()
        assert app.number_input(key="look_page").value == 2
        assert not app.exception

    def test_averages(self, faces: Dataset, dataset_tab: Callable[[str], AppTest]) -> None:
        app = dataset_tab("Look")
        app.segmented_control(key="look_view").set_value("Class averages").run()
        assert not app.exception
        assert len(app.get("image")) == 14
        assert app.get("plotly_chart")

    def test_an_image_at_large_and_its_edits(
        self, home: Home, votes: Dataset, dataset_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        app = dataset_tab("Look")
        app.number_input(key="detail_wanted").set_value(27).run()
        app.button(key="detail_open").click().run()
        words = texts(app)
        assert "Split Test (PrivateTest)" in words
        assert "**Identical copies** (1)" in words
        assert "happiness 10" in words
        assert "Nearest by their pixels" in words
        app.button(key="detail_exclude").click().run()
        assert OverlayStore(home.data).load(votes).excluded == {27}

    def test_an_image_with_its_own_label_again_is_no_longer_edited(
        self, home: Home, votes: Dataset, dataset_tab: Callable[[str], AppTest]
    ) -> None:
        store = OverlayStore(home.data)
        own = int(votes.labels[27])
        store.add(votes, relabel([27], own - 1), based_on=0)
        app = dataset_tab("Look")
        app.number_input(key="detail_wanted").set_value(27).run()
        app.session_state[f"detail_label_27_{own - 1}"] = own
        app.button(key="detail_open").click().run()
        app.button(key="detail_relabel").click().run()
        assert store.load(votes).relabelled == {}
        assert store.edited(votes, LATEST) is votes


class TestQuality:
    def test_leaks_and_conflicts_are_counted_and_shown(
        self,
        faces: Dataset,
        dataset_tab: Callable[[str], AppTest],
        texts: Texts,
        plain_tables: PlainTables,
    ) -> None:
        app = dataset_tab("Quality")
        assert "**1** of 7 test images are identical" in texts(app)
        table = plain_tables(app)["Identical copies"].astype(int)
        assert table.loc["Test", "Copy in training"] == 1
        assert table.loc["Training", "Copy in test"] == 1
        assert table.to_numpy().sum() == 2
        app.selectbox(key="quality_list").set_value("identical-conflicts").run()
        assert "**Group 1** · 2 images" in texts(app)
        app.selectbox(key="quality_list").set_value("constant").run()
        assert "None found" in app.success[-1].value

    def test_excluding_a_list_shows_under_edits_and_can_be_undone(
        self,
        home: Home,
        faces: Dataset,
        dataset_tab: Callable[[str], AppTest],
        texts: Texts,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("pipeline.dataset.quality.MIN_SHARPNESS", 1e9)
        app = dataset_tab("Quality")
        app.selectbox(key="quality_list").set_value("blurred").run()
        app.button(key="quality_exclude").click().run()
        assert len(OverlayStore(home.data).load(faces).excluded) == NUMBER
        assert app.button(key="quality_exclude").disabled
        app.session_state[look.TABS] = TABS["Edits"]
        assert "excluded: **28**" in texts(app.run())
        assert app.dataframe[0].value["note"].tolist() == ["Blurred"]
        app.button(key="overlay_undo").click().run()
        assert "excluded: **0**" in texts(app)
        assert OverlayStore(home.data).load(faces).version == 2
        assert app.dataframe[0].value["edit"].tolist() == ["Undid version 1", "Excluded 28 images"]

    def test_an_edit_in_another_tab_is_noticed(
        self, home: Home, faces: Dataset, dataset_tab: Callable[[str], AppTest]
    ) -> None:
        store = OverlayStore(home.data)
        store.add(faces, exclude([3]), based_on=0)
        app = dataset_tab("Edits")
        store.add(faces, exclude([4]), based_on=1)
        app.button(key="overlay_undo").click().run()
        assert "changed elsewhere" in app.error[0].value
        assert store.load(faces).excluded == {3, 4}
        # The page shows them now, and the repeated click is meant for what it shows.
        app.button(key="overlay_undo").click().run()
        assert store.load(faces).excluded == {3}
        assert not app.error

    def test_lists_name_every_fault_and_their_groups(self, faces: Dataset) -> None:
        found = {finding.key: finding for finding in quality.findings(inspect(faces))}
        assert found["identical-leaks"].images.tolist() == [27]
        assert [group.tolist() for group in found["identical-leaks"].groups or []] == [[0, 27]]
        assert {"too-dark", "too-bright", "low-contrast", "blurred", "blank"} < set(found)
        # What may be dark skin is never left out by the list.
        assert "not for removal" in found["too-dark"].advice
        assert not any(found[key].removable for key in ("too-dark", "too-bright", "low-contrast"))
        assert not found["identical-copies"].removable
        assert found["identical-leaks"].removable
        assert "not-a-face" not in found


class TestDisagreement:
    def test_votes_are_added_from_a_path(
        self,
        tmp_path: Path,
        faces: Dataset,
        dataset_tab: Callable[[str], AppTest],
        finish_jobs: FinishJobs,
        texts: Texts,
    ) -> None:
        app = dataset_tab("Disagreement")
        assert "No FER+ votes" in texts(app)
        app.button(key="votes_submit").click().run()
        assert "Give the path of a file" in app.error[0].value
        file = tmp_path / "fer2013new.csv"
        file.write_text(votes_text(faces))
        app.text_input(key="votes_source").set_value(f'"{file}"')
        app.button(key="votes_submit").click().run()
        words = texts(finish_jobs(app))
        assert "“faces” has the votes for its 28 images now" in words
        assert "agree with **4** labels" in words

    def test_votes_are_added_by_upload(
        self,
        home: Home,
        faces: Dataset,
        dataset_tab: Callable[[str], AppTest],
        finish_jobs: FinishJobs,
        texts: Texts,
    ) -> None:
        app = dataset_tab("Disagreement")
        short = votes_text(faces).rsplit("\n", 2)[0]
        app.file_uploader(key="votes_upload_0").upload("new.csv", short.encode()).run()
        app.button(key="votes_upload_submit").click().run()
        finish_jobs(app)
        assert "expected votes for 28 images, got 27 rows" in app.error[0].value
        whole = votes_text(faces).encode()
        app.file_uploader(key="votes_upload_1").upload("new.csv", whole).run()
        app.button(key="votes_upload_submit").click().run()
        assert "agree with **4** labels" in texts(finish_jobs(app))
        # No copy of the uploads is kept.
        assert [path.name for path in home.data.iterdir() if path.is_dir()] == [
            *(".inspections", "faces")
        ]

    def test_drawn_faces_have_none_to_add(
        self,
        write_dataset: Callable[..., Dataset],
        dataset_tab: Callable[[str], AppTest],
        texts: Texts,
    ) -> None:
        write_dataset("drawn", synthetic=True)
        app = dataset_tab("Disagreement")
        assert "Nobody voted on drawn faces" in texts(app)
        assert not app.file_uploader

    def test_counts_and_opens_the_disputed_in_the_grid(
        self, votes: Dataset, dataset_tab: Callable[[str], AppTest], texts: Texts
    ) -> None:
        app = dataset_tab("Disagreement")
        words = texts(app)
        assert "**4** labels (14.3 %)" in words
        assert "**1** images have no majority" in words
        app.button(key="look_majority-differs").click().run()
        assert app.session_state[look.TABS] == TABS["Look"]
        assert "**23** images" in texts(app)
        app.button(key="look_all").click().run()
        assert "**28** images" in texts(app)

    def test_what_was_chosen_of_one_dataset_is_not_taken_for_another(
        self,
        home: Home,
        votes: Dataset,
        dataset_tab: Callable[[str], AppTest],
        finish_jobs: FinishJobs,
        texts: Texts,
        write_dataset: Callable[..., Dataset],
    ) -> None:
        app = dataset_tab("Disagreement")
        app.button(key="look_majority-differs").click().run()
        app.number_input(key="detail_wanted").set_value(27).run()
        app.slider(key="look_sharpness").set_value((0.0, 7.5)).run()
        write_dataset("small", number=7)
        state.remember(home, active_dataset="small")
        assert "**7** images" in texts(finish_jobs(app.run()))
        assert app.number_input(key="detail_wanted").value is None
        assert not app.error


class TestPreviews:
    def test_sliders_have_the_ranges_of_training(
        self, faces: Dataset, dataset_tab: Callable[[str], AppTest]
    ) -> None:
        app = dataset_tab("Previews")
        rotation = app.slider(key="preview_rotation")
        assert (rotation.min, rotation.max, rotation.value) == (0, 180, 10)
        assert app.toggle(key="preview_flip").value is True
        rotation.set_value(90.0).run()
        assert not app.exception
        app.button(key="preview_another").click().run()
        assert not app.exception

    def test_the_code_path_is_that_of_training(self, faces: Dataset) -> None:
        face = np.asarray(faces.images[0])
        still = {"rotation": 0.0, "shift": 0.0, "zoom": 0.0, "flip": False}
        same = preview.versions(face, TrainingConfig(**still), 0)
        assert same.shape == (4 * 48, 4 * 48)
        np.testing.assert_array_equal(same[48:96, 96:144], face)
        varied = preview.versions(face, TrainingConfig(), 0)
        assert not np.array_equal(varied, same)
        np.testing.assert_array_equal(varied, preview.versions(face, TrainingConfig(), 0))
        assert not {"mixup", "cutmix"} & set(preview.augmentation_names())


class TestMap:
    def test_is_drawn(self, faces: Dataset, dataset_tab: Callable[[str], AppTest]) -> None:
        app = dataset_tab("Map")
        assert not app.exception
        assert app.get("plotly_chart")
        assert app.button(key="map_look").disabled


def test_export_has_a_row_for_each_image(home: Home, faces: Dataset) -> None:
    from app.dataset_page.desk import Desk

    desk = Desk(faces, None, OverlayStore(home.data).load(faces))
    groups = [np.array([0, 27]), np.array([3, 4, 5])]
    text = quality.group_table(desk, groups).to_csv(index=False)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["group"] for row in rows] == ["1", "1", "2", "2", "2"]
    assert [row["index"] for row in rows] == ["0", "27", "3", "4", "5"]
    assert rows[1]["split"] == "test"
    assert rows[1]["label"] == "neutral"


def test_damaged_overlay_is_one_sentence(home: Home, faces: Dataset, open_page: OpenPage) -> None:
    path = OverlayStore(home.data).path(faces)
    path.parent.mkdir()
    path.write_text("{")
    app = open_page(PAGE)
    assert not app.exception
    assert "is damaged" in app.error[0].value
