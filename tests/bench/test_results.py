import re

import pytest

from bench import results
from bench.common import RESULT
from bench.results import BENCHMARKS, Benchmark, Outcome, document, processor, section, split
from pipeline.home import PROJECT_ROOT

LATENCY = next(benchmark for benchmark in BENCHMARKS if benchmark.name == "latency")
API = next(benchmark for benchmark in BENCHMARKS if benchmark.name == "api")


def written(benchmark: Benchmark, output: str, failure: str = "") -> str:
    facts = "2026-01-02 03:04 UTC, commit abc"
    return section(benchmark, "python -m bench.x", Outcome(output, failure, 12.3), facts)


def test_a_new_section_leaves_the_others_with_their_date() -> None:
    old = document("# Head", {"latency": written(LATENCY, "1 ms\n"), "api": written(API, "2 ms\n")})
    sections = split(old)
    sections["api"] = written(API, "3 ms\n").replace("2026-01-02", "2026-05-06")
    new = document("# Another head", sections)
    assert split(new)["latency"] == split(old)["latency"] == written(LATENCY, "1 ms\n")
    assert "3 ms" in new
    assert "2 ms" not in new
    assert re.findall(r"2026-\d\d-\d\d", new) == ["2026-01-02", "2026-05-06"]
    assert new.startswith("# Another head\n")


def test_sections_stand_in_one_order_however_they_were_run() -> None:
    sections = {"api": written(API, "2"), "latency": written(LATENCY, "1")}
    assert list(split(document("# Head", sections))) == ["latency", "api"]


def test_a_benchmark_that_is_gone_loses_its_section() -> None:
    gone = written(Benchmark("gone", "of old"), "1")
    assert split(document("# Head", {"gone": gone})) == {}


def test_the_table_takes_what_a_benchmark_comes_to() -> None:
    text = document("# Head", {"latency": written(LATENCY, f"many\n{RESULT}1 ms | fast\n")})
    assert "| `latency` | 1 ms \\| fast |" in text


def test_what_could_not_run_says_why_and_shows_no_figures() -> None:
    text = document("# Head", {"latency": written(LATENCY, "half of it\n", "no model 'x'")})
    assert "| `latency` | Not run: no model 'x' |" in text
    assert "half of it" not in text


def test_folders_of_this_machine_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERLAB_HOME", "/somewhere/home")
    monkeypatch.setenv("HOME", "/")
    text = f"{PROJECT_ROOT}/app/x.py and /somewhere/home/runs and a/b"
    clean = results.without_paths(text, results.places())
    assert clean == "./app/x.py and $FERLAB_HOME/runs and a/b"


def test_the_processor_is_told_with_what_makes_training_fast() -> None:
    text = "processor : 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Some CPU\n"
    assert processor(text + "flags : fpu avx2 amx_tile\n\nmodel name : other\n") == (
        "Some CPU (family 6, model 143; AVX2; AMX)"
    )
    assert processor("")


def test_every_benchmark_is_a_file_of_the_folder() -> None:
    shared = {"common", "results"}
    files = {path.stem for path in (PROJECT_ROOT / "bench").glob("*.py")} - shared
    assert {benchmark.name for benchmark in BENCHMARKS} == files
