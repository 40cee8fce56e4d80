"""Runs as a zip file: to keep them, or to hand them to another computer.

    <id>/                  a folder for each run
        exported.json      what this is, and which form of it
        config.json, …     the run's files; checkpoints only if asked for

What comes in is not trusted: nothing is written outside a new folder, nothing
larger than a run can be, and nothing becomes a run that does not read like one.
"""

from __future__ import annotations

import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import RunImportError, RunStateError
from pipeline.files import read_json, write_json
from pipeline.runs.run import CHECKPOINTS, STARTED, Run
from pipeline.runs.soundness import check_run
from pipeline.runs.store import RunStore, is_id

FORMAT_VERSION = 1

_Files = dict[PurePosixPath, zipfile.ZipInfo]

_MANIFEST = "exported.json"
_OF_THIS_COMPUTER = frozenset({STARTED, "stop_asked.json", "progress.json", _MANIFEST})
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_MAX_DEPTH = 4
_TEXT = frozenset({".json", ".jsonl", ".md", ".log", ".csv", ".txt"})
_BINARY = frozenset({".npz", ".npy", ".onnx", ".keras", ".h5", ".tflite"})
_MAX_FILES = 1000
_MAX_RUNS = 200
_MAX_TEXT_BYTES = 64 * 2**20
_MAX_BYTES = 4 * 2**30
_CHUNK = 1 << 20
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError),
    *(NotImplementedError, RuntimeError, FileExistsError, NotADirectoryError),
)
"""What comes of damage, unknown methods, passwords, and files within files."""


def export_runs(runs: Sequence[Run], target: IO[bytes], *, checkpoints: bool = False) -> None:
    """Writes runs as a zip file, piece by piece.

    Args:
        runs: One or more, none of them being trained.
        target: Where to; need not be seekable.
        checkpoints: Whether to add what it takes to train on, which makes the
            file a few times as large.

    Raises:
        RunStateError: If one is being trained: its files would not fit together; or
            if they are too many for a file.
    """
    if len(runs) > _MAX_RUNS:
        raise RunStateError(f"a file holds {_MAX_RUNS} runs at most, got {len(runs)}: choose fewer")
    for run in runs:
        if run.is_busy:
            raise RunStateError(
                f"run {run.id!r} is being trained: stop it, or wait until it is over"
            )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for run in runs:
            _pack(archive, run, checkpoints=checkpoints)


def import_runs(store: RunStore, source: Path | IO[bytes]) -> list[Run]:
    """Makes runs of exported ones; an id gets a number behind it if it is taken.

    A run that was being trained when it was exported is stopped now. If one cannot be
    taken in, none is.

    Args:
        store: Where runs are kept.
        source: What `export_runs` wrote.

    Raises:
        RunImportError: If it is anything else, damaged, or too large.
    """
    try:
        with zipfile.ZipFile(source) as archive, ExitStack() as stack:
            by_run = _members(archive)
            folders = {run_id: stack.enter_context(store.incoming()) for run_id in by_run}
            _check_room(store.root, by_run.values())
            for run_id, folder in folders.items():
                for name, info in by_run[run_id].items():
                    _extract(archive, info, folder.joinpath(*name.parts))
                _take_manifest(folder)
                check_run(folder)
            return [store.adopt(folder, run_id) for run_id, folder in folders.items()]
    except _BROKEN as error:
        raise RunImportError(f"this is not a sound zip file ({error}): export it again") from error


def _pack(archive: zipfile.ZipFile, run: Run, *, checkpoints: bool) -> None:
    manifest = {
        "format": FORMAT_VERSION,
        "run": run.id,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / _MANIFEST, manifest)
        archive.write(Path(folder) / _MANIFEST, f"{run.id}/{_MANIFEST}")
    for path in _files(run.folder, checkpoints=checkpoints):
        # Weights are as good as noise: squeezing them takes long and saves little.
        method = zipfile.ZIP_STORED if path.suffix in _BINARY else zipfile.ZIP_DEFLATED
        name = f"{run.id}/{path.relative_to(run.folder).as_posix()}"
        archive.write(path, name, method)


def _files(folder: Path, *, checkpoints: bool) -> Iterator[Path]:
    """A run's files that mean something elsewhere, in order; no hidden ones, no links."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not _PART.fullmatch(path.name) or path.name in _OF_THIS_COMPUTER:
            continue
        if path.is_dir():
            if checkpoints or path.name != CHECKPOINTS:
                yield from _files(path, checkpoints=checkpoints)
        elif path.suffix in _TEXT | _BINARY:
            yield path


def _members(archive: zipfile.ZipFile) -> dict[str, _Files]:
    """The files of each run, by the run's id and by their path below its folder."""
    found: dict[str, _Files] = {}
    for info in archive.infolist():
        if info.is_dir():
            continue
        parts = info.filename.split("/")
        _check_member(info, parts)
        members = found.setdefault(parts[0], {})
        if len(found) > _MAX_RUNS:
            raise RunImportError(f"a file holds {_MAX_RUNS} runs at most, this has more")
        name = PurePosixPath(*parts[1:])
        if name in members:
            raise RunImportError(f"{info.filename!r} is in this file twice: export it again")
        members[name] = info
        if len(members) > _MAX_FILES:
            raise RunImportError(f"a run has {_MAX_FILES} files at most, this has more")
    if not found or any(PurePosixPath(_MANIFEST) not in members for members in found.values()):
        raise RunImportError(
            "this zip file holds no exported run: make one with `runs export` or on the runs page"
        )
    for run_id in found:
        if not is_id(run_id):
            raise RunImportError(f"{run_id[:80]!r} cannot name a run")
    return found


def _check_member(info: zipfile.ZipInfo, parts: list[str]) -> None:
    name = info.filename[:120]
    if not 2 <= len(parts) <= _MAX_DEPTH or not all(map(_PART.fullmatch, parts)):
        raise RunImportError(f"a run has no file {name!r}: this zip file holds something else")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise RunImportError(f"{name!r} is a link or a device, not a file: this is not a run")
    suffix = PurePosixPath(info.filename).suffix
    if suffix not in _TEXT | _BINARY:
        raise RunImportError(f"a run has no file of the kind {name!r}")
    if suffix in _TEXT and info.file_size > _MAX_TEXT_BYTES:
        raise RunImportError(f"{name!r} is too large to be part of a run")


def _check_room(root: Path, runs: Iterable[_Files]) -> None:
    # `zipfile` never unpacks more of a file than its heading says.
    sizes = [sum(info.file_size for info in members.values()) for members in runs]
    largest = max(sizes)
    if largest > _MAX_BYTES:
        raise RunImportError(
            f"unpacked this has {largest / 2**30:.1f} GiB, more than a run can have"
        )
    if sum(sizes) > shutil.disk_usage(root).free:
        raise RunImportError("there is no room for it on this disk: free some space first")


def _take_manifest(folder: Path) -> None:
    """Checks that the export is of a form that is known here, and removes its manifest."""
    try:
        form = read_json(folder / _MANIFEST)["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunImportError(f"{_MANIFEST} is damaged ({error!r}): export it again") from error
    if form != FORMAT_VERSION:
        raise RunImportError(
            f"this run was exported in form {form!r}, and only {FORMAT_VERSION} is known here: "
            "export it with the same version of the program"
        )
    (folder / _MANIFEST).unlink()


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, target.open("xb") as file:
        shutil.copyfileobj(packed, file, _CHUNK)
