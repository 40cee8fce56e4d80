"""`recognize`: the expressions of the faces in image files."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import (
    DetectorName,
    JsonFlag,
    ServedModel,
    console,
    load_classifier,
    notes,
    print_json,
    progress_bar,
)
from pipeline.errors import ConfigError, ImageFormatError
from pipeline.files import write_text
from pipeline.recognition import images
from pipeline.recognition.detectors import DETECTORS, make_detector
from pipeline.recognition.drawing import annotate, caption
from pipeline.recognition.recognizer import Recognizer
from pipeline.recognition.results import FileResult, to_csv

_TERMINAL = "-"


def _no_folder(out: str | None) -> str | None:
    """Refuses a folder before the work begins, not when its result is to be written."""
    if out not in (None, _TERMINAL) and Path(out).is_dir():
        raise typer.BadParameter(f"{out} is a folder: name a file")
    return out


def recognize(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Image files, folders or globs.")
    ],
    table: Annotated[
        str | None,
        typer.Option(
            "--csv",
            metavar="OUT",
            help=f"Write one row for each face; {_TERMINAL} is standard output.",
            callback=_no_folder,
        ),
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, help="Write each image with its faces marked, as PNG."
        ),
    ] = None,
    detector: DetectorName = DETECTORS[0],
    model: ServedModel = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Least confidence of a face, 0 to 1; default: the detector's own."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Recognizes the expressions in photos; a file that cannot be read gets its reason.

    The exit code is 1 if any file could not be read; the others are recognized all the same.
    """
    if as_json and table == _TERMINAL:
        raise ConfigError("--json and --csv - both go to standard output: name a file for --csv")
    files = list(_expand(paths))
    if not files:
        raise ImageFormatError(
            f"no image in {', '.join(paths)}: expected files ending in "
            f"{', '.join(sorted(images.EXTENSIONS))}"
        )
    finder = make_detector(detector, threshold=threshold)
    recognizer = Recognizer(load_classifier(model), finder)
    results = []
    with progress_bar("Recognizing") as progress:
        for number, file in enumerate(files):
            progress(number, len(files), file)
            results.append(_recognize(recognizer, file, annotated, number))
    if as_json:
        print_json([result.to_dict() for result in results])
    if table == _TERMINAL:
        typer.echo(to_csv(results), nl=False)
    elif table is not None:
        write_text(Path(table), to_csv(results))
    if not as_json and table != _TERMINAL:
        _print(results)
    num_failed = sum(bool(result.error) for result in results)
    if num_failed:
        notes().print(f"{num_failed} of {len(results)} files could not be read.")
        raise typer.Exit(1)


def _expand(paths: Sequence[str]) -> Iterator[str]:
    """The files that are meant, each once; what is not there stays, to be reported."""
    seen: set[str] = set()
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = sorted(
                str(file)
                for file in path.rglob("*")
                if file.suffix.lower() in images.EXTENSIONS and file.is_file()
            )
        elif path.exists():
            found = [text]
        else:
            # `Path.glob` takes no absolute pattern.
            found = sorted(glob.glob(text, recursive=True)) or [text]  # noqa: PTH207
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _recognize(
    recognizer: Recognizer, file: str, annotated: Path | None, number: int
) -> FileResult:
    try:
        image = images.read(Path(file))
    except ImageFormatError as error:
        return FileResult(file, [], str(error))
    predictions = recognizer.recognize(image)
    if annotated is not None:
        # The number keeps files of one name from different folders apart.
        target = annotated / f"{number + 1:04d}-{Path(file).stem}.png"
        _save_png(target, annotate(image, predictions))
    return FileResult(file, predictions)


def _save_png(path: Path, image: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, "PNG")


def _print(results: Sequence[FileResult]) -> None:
    table = Table("File", "Faces", "Expressions")
    for result in results:
        if result.error:
            table.add_row(escape(result.file), "–", f"[red]{escape(result.error)}[/red]")
            continue
        texts = [caption(prediction) for prediction in result.predictions]
        table.add_row(escape(result.file), str(len(texts)), ", ".join(texts) or "no face found")
    console().print(table)
