import json
from functools import partial

import numpy as np
import pytest

from pipeline.cli import dataset as cli
from pipeline.dataset import DatasetStore, ferplus, kaggle, synthetic


@pytest.fixture
def table(tmp_path):
    """The text of a CSV with three images of each class, the last one a copy of the first."""
    images = np.random.default_rng(2).integers(0, 256, (21, 2304))
    images[20] = images[0]
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = [
        f"{index % 7},{' '.join(map(str, image))},{usages[index // 7]}"
        for index, image in enumerate(images)
    ]
    path = tmp_path / "faces.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return path


@pytest.fixture
def votes(tmp_path):
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = [f"{usages[index // 7]},x.png,9,0,0,0,0,0,0,0,0,1" for index in range(21)]
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join([",".join(["Usage", "Image name", *ferplus.COLUMNS]), *rows]))
    return path


def cells(shown: str) -> list[list[str]]:
    """The cells of each line of a table."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines()]


def test_import_shows_counts(command, home, table, capsys) -> None:
    assert command("dataset", "import", str(table)) == 0
    shown = capsys.readouterr().out
    assert "fer2013: faces.csv, 21 images" in shown
    assert ["Disgust", "1", "1", "1", "3"] in cells(shown)
    assert DatasetStore(home.data).names() == ["fer2013"]


def test_import_with_everything(command, home, table, votes, capsys) -> None:
    code = command(
        "dataset", "import", str(table), "--name", "mine", "--title", "My faces",
        "--ferplus", str(votes), "--json",
    )  # fmt: skip
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    dataset = DatasetStore(home.data).open("mine")
    assert told["name"] == "mine"
    assert told["title"] == "My faces"
    assert told["fingerprint"] == dataset.meta.fingerprint
    assert dataset.votes is not None


def test_failed_import_is_one_line_and_keeps_the_first(command, home, table, capsys) -> None:
    assert command("dataset", "import", str(table)) == 0
    before = DatasetStore(home.data).open("fer2013").meta
    capsys.readouterr()
    table.write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    assert command("dataset", "import", str(table), "--force") == 1
    captured = capsys.readouterr()
    assert captured.err.strip() == "error: faces.csv, row 2: expected 2304 pixels (48×48), got 3"
    assert DatasetStore(home.data).open("fer2013").meta == before


def test_a_dataset_is_replaced_only_when_forced(command, home, table, monkeypatch, capsys) -> None:
    def tell() -> None:
        raise AssertionError("nothing may be downloaded that is not kept")

    monkeypatch.setattr(kaggle, "download", tell)
    assert command("dataset", "import", str(table)) == 0
    before = DatasetStore(home.data).open("fer2013").meta
    capsys.readouterr()
    for again in (["import", str(table)], ["download"], ["demo", "--name", "fer2013"]):
        assert command("dataset", *again) == 1
        assert "another --name, or replace it with --force" in capsys.readouterr().err
    assert DatasetStore(home.data).open("fer2013").meta == before
    assert command("dataset", "import", str(table), "--title", "Anew", "--force") == 0
    assert DatasetStore(home.data).open("fer2013").meta.title == "Anew"


def test_download_imports_what_kaggle_gives(command, home, table, monkeypatch) -> None:
    monkeypatch.setattr(kaggle, "download", lambda: table)
    assert command("dataset", "download", "--name", "kaggle") == 0
    assert DatasetStore(home.data).names() == ["kaggle"]


def test_demo_is_labelled_as_synthetic(command, home, monkeypatch, capsys) -> None:
    few = partial(synthetic.build_demo, num_images=21)
    monkeypatch.setattr(synthetic, "build_demo", few)
    assert command("dataset", "demo") == 0
    assert "(synthetic)" in capsys.readouterr().out
    assert command("dataset", "list") == 0
    assert "(synthetic)" in capsys.readouterr().out
    assert DatasetStore(home.data).open("demo").meta.synthetic


def test_list(command, home, table, capsys) -> None:
    assert command("dataset", "list") == 0
    assert "No datasets yet" in capsys.readouterr().err
    command("dataset", "import", str(table), "--name", "one")
    command("dataset", "import", str(table), "--name", "two")
    capsys.readouterr()
    assert command("dataset", "list", "--json") == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == ["one", "two"]


def test_list_passes_over_a_damaged_dataset_and_says_so(command, home, table, capsys) -> None:
    command("dataset", "import", str(table), "--name", "one")
    command("dataset", "import", str(table), "--name", "two")
    (home.data / "one" / "meta.json").write_text("{")
    capsys.readouterr()
    assert command("dataset", "list", "--json") == 0
    captured = capsys.readouterr()
    assert [entry["name"] for entry in json.loads(captured.out)] == ["two"]
    assert "warning: dataset 'one' is damaged" in captured.err
    assert command("dataset", "delete", "one", "--yes") == 0


def test_report_of_the_only_dataset(command, home, table, capsys) -> None:
    command("dataset", "import", str(table))
    capsys.readouterr()
    assert command("dataset", "report", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["num_samples"] == 21
    assert told["exact_duplicates"]["num_conflicting_groups"] == 1
    assert command("dataset", "report", "fer2013") == 0
    lines = cells(capsys.readouterr().out)
    assert ["of test, also in train", "1", "0 with the same label"] in lines
    assert ["largest to smallest class", "1.0 : 1", "train"] in lines


def test_report_needs_a_name_where_there_are_several(command, home, table, capsys) -> None:
    command("dataset", "import", str(table), "--name", "one")
    command("dataset", "import", str(table), "--name", "two")
    assert command("dataset", "report") == 1
    told = capsys.readouterr().err
    assert "(one, two): name one of them as in `dataset report NAME`" in told
    assert command("train") == 1
    assert "(one, two): name one of them with --dataset NAME" in capsys.readouterr().err


def test_votes_are_attached(command, home, table, votes, capsys) -> None:
    command("dataset", "import", str(table))
    assert command("dataset", "votes", "fer2013", str(votes)) == 0
    assert "Attached votes for 21 images" in capsys.readouterr().out
    assert DatasetStore(home.data).open("fer2013").meta.votes_source == str(votes)


def test_delete_asks_first(command, home, table, monkeypatch) -> None:
    command("dataset", "import", str(table))
    asked = []
    monkeypatch.setattr(cli.typer, "confirm", lambda text, **options: asked.append(text))
    assert command("dataset", "delete", "fer2013") == 0
    assert asked == ["Delete the dataset fer2013 and its edits for good?"]
    assert DatasetStore(home.data).names() == []
    assert command("dataset", "delete", "fer2013") == 1
    assert len(asked) == 1
