"""Runs the benchmarks, one after another, and writes their figures to bench/RESULTS.md.

    FERLAB_HOME=… FERLAB_FER2013=…/fer2013.csv.xz python -m bench.results [NAME…] [--quick]

Names are those of the files beside this one; without any, all are run, which
takes about an hour. Only their sections are written anew. `FERLAB_HOME` must
hold FER-2013, imported as `fer2013`, and a trained model; the active one is
used, and dashboards are opened on that home, so let it be a copy. For the
package `fer`, see `bench.photo_latency`. With `--quick` each runs in a short
form that shows that it works, and nothing is written.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.common import RESULT, model_entry
from pipeline.errors import ModelLoadError
from pipeline.home import PROJECT_ROOT, Home

RESULTS = PROJECT_ROOT / "bench" / "RESULTS.md"
MODEL = "MODEL"
"""Stands in the arguments for the active model."""

_PACKAGES = ("keras", "tensorflow", "onnxruntime", "numpy", "opencv-python-headless", "streamlit")
_HEADING = re.compile(r"^(?=## `\w+`)", re.MULTILINE)


@dataclass(frozen=True)
class Benchmark:
    """One file of this folder, and how it is run for the results.

    Attributes:
        name: Of the file.
        title: What it measures, in a few words.
        arguments: Of its command.
        quick: Arguments to add for a short form.
    """

    name: str
    title: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


BENCHMARKS = (
    Benchmark("import_csv", "CSV import against the usual pandas way", (), ("--rounds", "1")),
    Benchmark(
        "training_speed",
        "training images/s against plain Keras with ImageDataGenerator and with Random layers",
        (),
        ("--architectures", "seed_cnn", "--rounds", "1", "--steps", "2"),
    ),
    Benchmark("augmentation", "augmented images/s of one core"),
    Benchmark("latency", "one face: ONNX Runtime against Keras", (MODEL,)),
    Benchmark(
        "photo_latency",
        "a photo end to end, against the package fer",
        ("--model", MODEL),
        ("--rounds", "1"),
    ),
    Benchmark("peers", "accuracy against the package fer", (MODEL,), ("--count", "200")),
    Benchmark(
        "live",
        "live video: frames/s, delay, and memory over ten minutes",
        ("--model", MODEL, "--minutes", "10"),
        ("--minutes", "0.4"),
    ),
    Benchmark(
        "api",
        "the JSON API with 1, 8 and 64 clients, and its memory over ten minutes",
        ("--minutes", "10"),
        ("--requests", "20", "--minutes", "0.2"),
    ),
    Benchmark(
        "page_load",
        "start of the server, first page, changes of page",
        (),
        ("--rounds", "1", "--starts", "1"),
    ),
    Benchmark("dataset_page", "the dataset page's work in the server"),
    Benchmark("dataset_report", "the dataset report at FER-2013's size and ten times it"),
    Benchmark("video", "a video of ten minutes", (MODEL,), ("--minutes", "0.5")),
    Benchmark(
        "stability",
        "answers when the crop shifts",
        (MODEL, "--dataset", "fer2013"),
        ("--count", "70"),
    ),
    Benchmark("framing", "FER-2013's frame around a detector's boxes", (), ("--count", "20")),
)


@dataclass(frozen=True)
class Outcome:
    """Of one benchmark's process: what it printed, or why it could not."""

    output: str
    failure: str
    seconds: float


def run(arguments: Iterable[str]) -> Outcome:
    """Runs a benchmark in a process of its own, and shows what it prints."""
    began, lines = time.monotonic(), []
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        code = process.wait()
        complaints.seek(0)
        said = [line for line in complaints.read().splitlines() if line.strip()]
    failure = (said or [f"exit code {code} and not a word"])[-1] if code else ""
    return Outcome("".join(lines), failure, time.monotonic() - began)


def section(benchmark: Benchmark, command: str, outcome: Outcome, facts: str) -> str:
    """A section of the results, as it stands in the file."""
    if outcome.failure:
        figures = f"Not run: {outcome.failure}"
    else:
        figures = f"```text\n{outcome.output.rstrip()}\n```"
    return (
        f"## `{benchmark.name}`: {benchmark.title}\n\n"
        f"```sh\n{command}\n```\n\n{figures}\n\n"
        f"{facts}, {outcome.seconds:.0f} s.\n"
    )


def split(text: str) -> dict[str, str]:
    """The sections of a results file, by the benchmark's name."""
    parts = _HEADING.split(text)[1:]
    return {part.split("`")[1]: part.strip() + "\n" for part in parts}


def document(head: str, sections: Mapping[str, str]) -> str:
    """The whole file: what each benchmark comes to in a table, then the sections in order."""
    order = [benchmark.name for benchmark in BENCHMARKS if benchmark.name in sections]
    rows = [f"| `{name}` | {_result(sections[name])} |" for name in order]
    table = "\n".join(["| benchmark | comes to |", "|---|---|", *rows])
    return "\n\n".join([head, table, *(sections[name].rstrip() for name in order)]) + "\n"


def _result(text: str) -> str:
    for line in text.splitlines():
        for mark in (RESULT, "Not run: "):
            if line.startswith(mark):
                return line.removeprefix(RESULT).replace("|", "\\|")
    return "see below"


def without_paths(text: str, places: Mapping[str, str]) -> str:
    """The text with this machine's folders replaced by names, the longest first.

    The root folder is in no danger of being told, and every path begins with it.
    """
    for path, name in sorted(places.items(), key=lambda place: -len(place[0])):
        text = text.replace(path, name) if path != "/" else text
    return text


def places() -> dict[str, str]:
    """What stands for this machine's folders in the results."""
    found = {str(Path.home()): "~", tempfile.gettempdir(): "TEMP", sys.prefix: "PYTHON"}
    found |= {str(Path(sys.executable)): "python", str(PROJECT_ROOT): "."}
    for variable in ("FERLAB_FER2013", "FERLAB_HOME"):
        if value := os.environ.get(variable):
            found[str(Path(value).expanduser().resolve())] = found[value] = f"${variable}"
    return found


def processor(cpuinfo: str) -> str:
    """The processor's name from Linux' /proc/cpuinfo, with what makes training fast."""
    fields = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    flags = fields.get("flags", "").split()
    units = [
        title
        for title, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"), ("AMX", "amx_tile"))
        if flag in flags
    ]
    kind = f"family {fields.get('cpu family', '?')}, model {fields.get('model', '?')}"
    return f"{fields['model name']} ({'; '.join([kind, *units])})"


def machine() -> str:
    """The processor, its cores, the memory and the system."""
    cpuinfo = Path("/proc/cpuinfo")
    name = processor(cpuinfo.read_text() if cpuinfo.is_file() else "")
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = f"{platform.system()} {platform.release()}"
    memory = psutil.virtual_memory().total / 2**30
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def commit() -> str:
    """The commit of this code, and whether other files than the results differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", ":!bench/RESULTS.md")
        return f"commit {git('rev-parse', '--short=12', 'HEAD')}" + (
            " with uncommitted changes" if changed else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "no commit"


def head() -> str:
    """How the file begins."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        "# What the benchmarks measured\n\n"
        "Written by one command; `--quick` tries it out, names run only those benchmarks:\n\n"
        "```sh\nFERLAB_HOME=… FERLAB_FER2013=…/fer2013.csv.xz python -m bench.results\n```\n\n"
        "Each section is what its command printed, with the date, commit, machine and seconds of "
        "that run, and how busy the processor was just before it. The docstring of each "
        "benchmark says how it measures.\n\n"
        f"Last run with Python {platform.python_version()}, {versions}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="short forms; writes nothing")
    given = parser.parse_args()
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        model = model_entry().name
    except ModelLoadError as error:
        sys.exit(f"{Home.from_environment().root}: {error}")
    sections = split(RESULTS.read_text()) if RESULTS.is_file() else {}
    failed = []
    for name in given.names or known:
        benchmark = known[name]
        arguments = [f"bench.{name}", *benchmark.arguments]
        arguments += benchmark.quick if given.quick else ()
        arguments = [model if each == MODEL else each for each in arguments]
        command = f"python -m {' '.join(arguments)}"
        print(f"\n{command}", flush=True)
        busy = psutil.cpu_percent(interval=1)
        facts = (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}, active model {model}, "
            f"{machine()}, processor {busy:.0f} % busy before"
        )
        outcome = run(arguments)
        if outcome.failure:
            failed.append(name)
            print(f"not run: {outcome.failure}")
        text = without_paths(section(benchmark, command, outcome, facts), places())
        sections[name] = text
        if not given.quick:
            RESULTS.write_text(document(head(), sections))
    print("\n" + (f"not run: {', '.join(failed)}" if failed else "all were run"))


if __name__ == "__main__":
    main()
