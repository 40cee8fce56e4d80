import json
from collections.abc import Callable

import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.home import Home
from tests.compared_runs import store_bars, store_run

Command = Callable[..., int]


@pytest.fixture
def bars(home: Home) -> Dataset:
    """Runs `good` and `same`, always right, and `blind`, which never answers angry or happy."""
    dataset = store_bars(home)
    for name, blind_to in (("good", ()), ("same", ()), ("blind", (0, 3))):
        store_run(home, name, dataset, blind_to=blind_to)
    return dataset


@pytest.mark.usefixtures("bars")
def test_json_holds_differences_and_verdicts(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("compare", "good", "same", "blind", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["baseline"], found["split"], found["num_samples"]) == ("good", "validation", 70)
    same, blind = found["pairs"]
    assert (same["verdict"], same["accuracy"]["delta"]) == ("no significant difference", 0)
    assert blind["verdict"] == "worse"
    assert blind["accuracy"]["delta"] == pytest.approx(-2 / 7)
    assert blind["per_class"]["happy"]["recall"]["other"] == 0
    assert blind["mcnemar"]["only_first"] == 20
    # Twice the tail of twenty fair coins, times two for the two pairs.
    assert blind["p_adjusted"] == pytest.approx(2 * 2 / 2**20)


@pytest.mark.usefixtures("bars")
def test_table_for_people(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("compare", "good", "blind", "--split", "test") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "Against good on 70 test images of bars" in shown.out
    assert "71.4%" in shown.out
    assert "-28.6" in shown.out
    assert "worse" in shown.out
    assert "blind against good, by class" in shown.out


@pytest.mark.usefixtures("bars")
@pytest.mark.parametrize("models", [["good"], ["good", "good"], ["good", "goo"]])
def test_needs_two_different_models(
    command: Command, capsys: pytest.CaptureFixture[str], models: list[str]
) -> None:
    assert command("compare", *models) == 1
    assert "2 to 8 different models" in capsys.readouterr().err


def test_without_data_it_says_where_to_get_it(
    command: Command, bars: Dataset, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    DatasetStore(home.data).delete(bars.name)
    assert command("compare", "good", "same") == 1
    told = capsys.readouterr().err
    assert "the dataset that good was trained on (bars) is not in" in told
    assert "dataset import FILE" in told
