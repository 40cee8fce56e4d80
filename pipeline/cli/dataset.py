"""`dataset`: import, download, make, list, look over and delete datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import (
    JsonFlag,
    console,
    datasets,
    notes,
    pick_dataset,
    print_json,
    progress_bar,
)
from pipeline.cli.tables import print_rows
from pipeline.dataset import SPLITS, Dataset, DatasetMeta, ferplus, kaggle, quality, synthetic
from pipeline.dataset.readers import import_dataset
from pipeline.errors import DatasetError
from pipeline.labels import EMOTIONS

app = typer.Typer(
    help="Datasets: import, download, demo, list, report, votes, delete.", no_args_is_help=True
)

Name = Annotated[str, typer.Option(help="The name to keep it under.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace a dataset that has the name already.")
]
Title = Annotated[str | None, typer.Option(help="What the dashboard calls it.")]
Votes = Annotated[
    Path | None, typer.Option("--ferplus", metavar="FILE", help="FER+ votes: fer2013new.csv.")
]


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="CSV (also .gz, .xz), image folder, zip or tar of these, or parquet.",
        ),
    ],
    name: Name = "fer2013",
    title: Title = None,
    votes: Votes = None,
    force: Force = False,
    as_json: JsonFlag = False,
) -> None:
    """Imports FER-2013, or data like it, from a file or folder."""
    _check_free(name, force)
    with progress_bar(f"importing {source.name}") as progress:
        dataset = import_dataset(
            source, datasets(), name, title=title, votes=votes, progress=progress
        )
    _show(dataset, as_json)


@app.command()
def download(
    name: Name = "fer2013", votes: Votes = None, force: Force = False, as_json: JsonFlag = False
) -> None:
    """Downloads FER-2013 from Kaggle with your token and imports it."""
    _check_free(name, force)
    # kagglehub draws a progress bar of its own.
    archive = kaggle.download()
    with progress_bar(f"importing {archive.name}") as progress:
        dataset = import_dataset(archive, datasets(), name, votes=votes, progress=progress)
    _show(dataset, as_json)


@app.command()
def demo(name: Name = "demo", force: Force = False, as_json: JsonFlag = False) -> None:
    """Draws the synthetic demo dataset: cartoon faces in the seven expressions."""
    _check_free(name, force)
    with progress_bar("drawing faces") as progress:
        dataset = synthetic.build_demo(datasets(), name, progress=progress)
    _show(dataset, as_json)


@app.command("list")
def list_datasets(as_json: JsonFlag = False) -> None:
    """Lists the datasets."""
    store = datasets()
    found: list[tuple[str, DatasetMeta]] = []
    for name in store.names():
        try:
            found.append((name, store.meta(name)))
        except DatasetError as error:
            notes().print(f"warning: {error}", style="yellow", markup=False)
    if as_json:
        print_json([{"name": name, **meta.to_dict()} for name, meta in found])
        return
    if not found:
        notes().print(
            "No datasets yet: `dataset import FILE`, `dataset download` or `dataset demo`.",
            markup=False,
        )
        return
    rows = [
        {
            "name": name,
            "title": _title(meta),
            "images": f"{meta.num_samples:,}",
            "FER+ votes": "yes" if meta.votes_source else "no",
            "imported": meta.created[:10],
            "source": meta.source,
        }
        for name, meta in found
    ]
    print_rows("Datasets", rows, least=("source", "imported", "FER+ votes", "title"))


@app.command()
def report(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None, as_json: JsonFlag = False
) -> None:
    """Looks a dataset over: balance, copies, near copies, bad images."""
    dataset = pick_dataset(name, "as in `dataset report NAME`")
    with progress_bar(f"inspecting {dataset.name}") as progress:
        found = quality.inspect(dataset, progress=progress).to_dict()
    if as_json:
        print_json(found)
        return
    _print_counts(dataset)
    _print_findings(found)


@app.command()
def votes(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FER+ votes: fer2013new.csv.")],
) -> None:
    """Attaches FER+ votes to a dataset in the order of fer2013.csv."""
    dataset = ferplus.attach(datasets(), name, file)
    console().print(f"Attached votes for {len(dataset):,} images to {name}.", markup=False)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Deletes a dataset and its edits for good; the file it was read from stays."""
    datasets().folder(name)  # nobody is asked about one that is not there
    if not yes:
        typer.confirm(f"Delete the dataset {name} and its edits for good?", abort=True, err=True)
    datasets().delete(name)
    console().print(f"Deleted {name}.", markup=False)


def _check_free(name: str, force: bool) -> None:
    """Raises a `DatasetError` if a dataset would be replaced unasked."""
    if not force and name in datasets().names():
        raise DatasetError(
            f"there is a dataset called {name!r} already: give this one another --name, or "
            "replace it with --force"
        )


def _title(meta: DatasetMeta) -> str:
    return f"{meta.title} (synthetic)" if meta.synthetic else meta.title


def _show(dataset: Dataset, as_json: bool) -> None:
    """Tells what an import made."""
    if as_json:
        print_json({"name": dataset.name, **dataset.meta.to_dict()})
        return
    _print_counts(dataset)
    for note in dataset.meta.notes:
        notes().print(f"Note: {note}", markup=False)
    if dataset.votes is not None:
        console().print(f"FER+ votes: {dataset.meta.votes_source}", markup=False)
    console().print(f"Files: {dataset.folder}", markup=False)


def _print_counts(dataset: Dataset) -> None:
    meta = dataset.meta
    table = Table(title=f"{dataset.name}: {escape(_title(meta))}, {meta.num_samples:,} images")
    table.add_column("class")
    for split in SPLITS:
        table.add_column(split, justify="right")
    table.add_column("all", justify="right")
    columns = [meta.counts[split] for split in SPLITS]
    for emotion, *row in zip(EMOTIONS, *columns, strict=True):
        table.add_row(emotion.title, *(f"{count:,}" for count in (*row, sum(row))))
    table.add_section()
    totals = [sum(column) for column in columns]
    table.add_row("all", *(f"{count:,}" for count in (*totals, sum(totals))))
    console().print(table)


def _print_findings(found: dict[str, Any]) -> None:
    """Prints the figures of a `QualityReport.to_dict`."""
    table = Table()
    table.add_column("finding", no_wrap=True)
    table.add_column("images", justify="right")
    table.add_column("remark")
    ratio = found["imbalance_ratio"]
    table.add_row(
        "largest to smallest class", "–" if ratio is None else f"{ratio:.1f} : 1", "train"
    )
    _add_copies(table, "identical images", found["exact_duplicates"])
    _add_copies(table, "near copies", found["near_duplicates"])
    for fault, images in found["faults"].items():
        examples = ", ".join(str(index) for index in images["examples"])
        remark = f"such as {examples}" if examples else ""
        table.add_row(fault.replace("_", " "), f"{images['num_images']:,}", remark)
    console().print(table)


def _add_copies(table: Table, title: str, copies: dict[str, Any]) -> None:
    table.add_row(
        title,
        f"{copies['num_images']:,}",
        f"{copies['num_groups']:,} groups, "
        f"{copies['num_conflicting_groups']:,} with labels that disagree",
    )
    for overlap in copies["overlaps"]:
        # What matters is held-out data that was seen before: test in train, not train in test.
        if SPLITS.index(overlap["split"]) > SPLITS.index(overlap["other"]):
            table.add_row(
                f"  of {overlap['split']}, also in {overlap['other']}",
                f"{overlap['num_images']:,}",
                f"{overlap['num_same_label']:,} with the same label",
            )
