"""The notebooks run from top to bottom, teach, and define nothing that others would copy."""

import ast
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image
from skimage import data

from pipeline.home import PROJECT_ROOT, Home
from pipeline.runs import RunStatus, RunStore

FOLDER = PROJECT_ROOT / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
TRAINING, PHOTOS = "02-train-and-compare.ipynb", "04-recognise-your-own-photos.ipynb"
LIBRARIES = {"pipeline", "numpy", "pandas", "plotly", "cv2", "PIL", "skimage"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
MACHINE_PATH = re.compile(r"/(?:home|root|tmp|work|Users|mnt|opt)/|\b[A-Za-z]:\\")
OWN_PHOTOS = 'MY_PHOTOS = ""'
EPOCHS, FEWER_EPOCHS = '"epochs": 8,', '"epochs": 2,'
MOST_BYTES = 300_000
SECONDS_FOR_A_CELL = 300

each_notebook = pytest.mark.parametrize("name", NAMES)


def read(name: str) -> Any:
    return nbformat.read(FOLDER / name, as_version=4)


def sources(notebook: Any, kind: str) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def tree(name: str) -> ast.Module:
    return ast.parse("\n".join(sources(read(name), "code")))


def test_notebooks_are_numbered_in_the_order_in_which_they_are_read() -> None:
    assert [name[:3] for name in NAMES] == [f"{number:02}-" for number in range(1, len(NAMES) + 1)]
    assert {TRAINING, PHOTOS} < set(NAMES)


@each_notebook
def test_notebooks_define_nothing(name: str) -> None:
    assert not [node for node in ast.walk(tree(name)) if isinstance(node, DEFINITIONS)]


@each_notebook
def test_notebooks_import_the_pipeline_and_few_libraries(name: str) -> None:
    imported = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert "pipeline" in imported
    assert imported <= LIBRARIES | sys.stdlib_module_names


@each_notebook
def test_notebooks_are_kept_without_outputs_and_without_paths_of_a_machine(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert len(text) < MOST_BYTES
    assert not MACHINE_PATH.search(text)
    for cell in read(name).cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


@each_notebook
def test_prose_leads_through_the_notebook(name: str) -> None:
    notebook = read(name)
    assert notebook.cells[0].source.startswith(f"# {int(name[:2])} · ")
    prose = sources(notebook, "markdown")
    assert "How to run it" in prose[1]
    assert sum(len(text.split()) for text in prose) > 400
    # A result may follow on another, but never on two without a word between.
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "ccc" not in kinds
    assert kinds.endswith("m")
    for target in re.findall(r"\]\(([^)]+)\)", "\n".join(prose)):
        assert target.startswith("https://") or (FOLDER / target).is_file()


def execute(name: str, photos: Path) -> Any:
    """Runs a notebook as Jupyter does, in a process of its own, and returns it with outputs."""
    notebook = read(name)
    for cell in notebook.cells:
        cell.source = cell.source.replace(OWN_PHOTOS, f"MY_PHOTOS = {str(photos)!r}")
        # After the second epoch of a training nothing comes that was not there before.
        cell.source = cell.source.replace(EPOCHS, FEWER_EPOCHS)
    client = NotebookClient(
        notebook, timeout=SECONDS_FOR_A_CELL, resources={"metadata": {"path": str(FOLDER)}}
    )
    return client.execute()  # raises if a cell fails


def contents(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def shown(notebook: Any) -> list[Any]:
    return [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]


def outputs(notebook: Any, kind: str) -> list[Any]:
    """What the cells displayed, of one type."""
    return [output.data[kind] for output in shown(notebook) if kind in output.get("data", {})]


def printed(notebook: Any, stream: str) -> list[str]:
    return [output.text for output in shown(notebook) if output.get("name") == stream]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.astronaut()).save(folder / "astronaut.png")
    Image.fromarray(data.coffee()).save(folder / "coffee.jpg")
    (folder / "broken.jpg").write_bytes(b"no image")
    (folder / "notes.txt").write_text("not asked for")
    return folder


@pytest.mark.slow
@pytest.mark.xdist_group("tensorflow")
def test_notebooks_run_one_after_the_other_from_nothing(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = Home(tmp_path / "home"), Home(PROJECT_ROOT)
    monkeypatch.setenv("FERLAB_HOME", str(home.root))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    elsewhere = (FOLDER, other.data, other.runs, other.cache)
    before = [contents(folder) for folder in elsewhere]
    done = {name: execute(name, photos) for name in NAMES}
    assert [contents(folder) for folder in elsewhere] == before

    for name, notebook in done.items():
        assert outputs(notebook, "application/vnd.plotly.v1+json"), f"{name} shows no chart"
        assert outputs(notebook, "image/png"), f"{name} shows no face"
        # A script would fetch the charting library, or bring four megabytes of it along.
        assert "<script" not in "".join(outputs(notebook, "text/html"))
        assert not printed(notebook, "stderr"), f"{name} prints warnings"

    assert re.findall(r"epoch +(\d+)", "".join(printed(done[TRAINING], "stdout"))) == ["1", "2"] * 2
    assert [path.name for path in home.data.iterdir() if path.name[0] != "."] == ["demo"]
    runs = RunStore(home.runs).list()
    assert {run.config["architecture"] for run in runs} == {"simple_cnn", "vgg"}
    assert all(run.state.status is RunStatus.FINISHED for run in runs)
    assert all(run.notes.tags == ("notebook",) for run in runs)

    (table,) = [text for text in outputs(done[PHOTOS], "text/html") if "broken.jpg" in text]
    rows = re.findall(r"<td>([^<]*)</td>\s*<td>([^<]*)</td>\s*<td>([^<]*)</td>", table)
    assert [(file, looks.partition(":")[0]) for file, looks, _ in rows[1:]] == [
        ("broken.jpg", "cannot be read"),
        ("coffee.jpg", "no face found"),
    ]
    assert rows[0][0] == "astronaut.png"
    assert rows[0][2].endswith("%")
