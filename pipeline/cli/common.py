"""What the commands share: the consoles, progress bars, JSON output, exit codes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar

from pipeline.dataset import Dataset, DatasetStore, Split
from pipeline.dataset.overlay import LATEST, NO_EDITS, OverlayStore
from pipeline.errors import DatasetError, DatasetNotFoundError, ModelLoadError
from pipeline.home import Home
from pipeline.progress import Progress
from pipeline.recognition.catalog import ModelCatalog
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import ModelContract, data_title
from pipeline.recognition.detectors import DETECTORS
from pipeline.runs import RunStore
from pipeline.training import backends

UNLIMITED = 100_000
"""Characters in a line that no terminal shows; rich wants a number."""

EDITS_METAVAR = f"{NO_EDITS}|{LATEST}|VERSION"

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A run's id, a folder below models/ or ensembles/, or a path to a model.",
    ),
]
ServedModel = Annotated[
    str | None,
    typer.Option(
        help="A run's id, a folder below models/ or ensembles/, or a path; default: the active one."
    ),
]
DetectorName = Annotated[
    str,
    typer.Option(
        metavar="|".join(DETECTORS), help="What finds the faces; none: each picture is one face."
    ),
]
ScoredDataset = Annotated[
    str | None,
    typer.Option(help="Name of an imported dataset; default: the one it was trained on."),
]
ScoredSplit = Annotated[Split, typer.Option(help="Which part of the dataset.")]
Views = Annotated[
    Literal["none", "flip", "ten_crop"],
    typer.Option(help="Average over mirror images, or over ten crops."),
]


def console() -> Console:
    """Where a command's results for people go: standard output, to be piped and kept.

    Only a terminal limits its width: what is piped or kept in a file is cut nowhere.
    """
    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen.width = UNLIMITED
    return screen


def notes() -> Console:
    """Where all else for people goes, progress, notes and errors: standard error."""
    return Console(stderr=True, highlight=False)


def datasets() -> DatasetStore:
    """The datasets of this home."""
    return DatasetStore(Home.from_environment().data)


def runs() -> RunStore:
    """The runs of this home."""
    return RunStore(Home.from_environment().runs)


def pick_dataset(name: str | None, how: str = "with --dataset NAME") -> Dataset:
    """Opens a dataset; without a name, the only one there is.

    Args:
        name: Its name, or `None`.
        how: How the command takes a name, to be told where one is missing.

    Raises:
        DatasetNotFoundError: If there is none of that name, or the choice is not clear.
    """
    store = datasets()
    if name is not None:
        return store.open(name)
    known = store.names()
    if len(known) != 1:
        raise DatasetNotFoundError(
            f"there are {len(known)} datasets in {store.root} ({', '.join(known)}): name one "
            f"of them {how}"
            if known
            else f"there is no dataset in {store.root} yet: get one with `python -m pipeline "
            "dataset import FILE` or `python -m pipeline dataset demo`"
        )
    return store.open(known[0])


def with_edits(dataset: Dataset, edits: str | None) -> Dataset:
    """A dataset with the edits that `--edits` names; without the option, as imported.

    Raises:
        DatasetError: If it is no choice, or there has been no such version.
    """
    chosen = OverlayStore(datasets().root).edited(dataset, edits or NO_EDITS)
    if edits == LATEST and chosen.edits is None:
        notes().print(f"{dataset.name} has no edits.", markup=False)
    return chosen


def trained_on(contract: ModelContract) -> Dataset:
    """The stored dataset that the model was trained on.

    Raises:
        DatasetNotFoundError: If it is not here; another is never taken unasked.
    """
    found = trained_on_if_here(contract)
    if found is not None:
        return found
    store = datasets()
    learned = data_title(contract.dataset)
    raise DatasetNotFoundError(
        f"the dataset that {contract.name} was trained on ({learned}) is not in {store.root}: "
        "import it with `python -m pipeline dataset import FILE`, or name another with --dataset "
        f"(there: {', '.join(store.names()) or 'none yet'})"
    )


def trained_on_if_here(contract: ModelContract) -> Dataset | None:
    """The stored dataset that the model was trained on; `None` if it is not here."""
    store = datasets()
    for name in store.names():
        try:
            if store.meta(name).fingerprint == contract.dataset.get("fingerprint"):
                return store.open(name)
        except DatasetError:
            continue  # a damaged dataset is not the one that is looked for
    return None


def load_classifier(model: str | None) -> EmotionClassifier:
    """Opens the model of that name; without a name, the active one.

    Raises:
        ModelLoadError: If there is none, or it is damaged.
    """
    catalog = ModelCatalog(Home.from_environment())
    entry = catalog.resolve(model) if model else catalog.active()
    if entry is None:
        raise ModelLoadError(
            "there is no model yet: train one with `python -m pipeline train`, or name one with "
            "--model"
        )
    return EmotionClassifier.load(entry.folder)


def cell(value: Any) -> str:
    """A value for a table; what people typed is shown as they typed it."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def print_json(value: Any) -> None:
    """Prints one JSON document on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A progress bar on standard error, as a `pipeline.progress.Progress`."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        # Not how many of how many: some work counts images, other its share of 1.
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    screen = notes()
    # In a log file a bar is noise.
    with ProgressBar(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)

        def update(done: float, total: float | None, text: str = "") -> None:
            bar.update(task, completed=done, total=total, description=text or title)

        yield update


@contextmanager
def loading_keras() -> Iterator[None]:
    """Around the first import of Keras: says that it takes a moment, and hides the chatter.

    TensorFlow's native libraries write notices of no use to anybody to standard
    error while they load, whatever its log level; if loading fails, they are shown.

    Raises:
        ConfigError: If Keras has no such backend, or it is not installed.
    """
    backend = backends.chosen()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    notes().print(f"Loading Keras on {backend} …")
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            os.write(screen, chatter.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
