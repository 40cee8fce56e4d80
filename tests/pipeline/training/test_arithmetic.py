from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.training import arithmetic
from pipeline.training.arithmetic import advice, has_bfloat16
from pipeline.training.config import TrainingConfig

BFLOAT16 = TrainingConfig(precision="mixed_bfloat16")

Processor = Callable[[str], None]


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Processor:
    """Makes a computer without a GPU, whose system says this of its processor."""
    monkeypatch.setattr(arithmetic, "_GPUS", ())
    monkeypatch.setattr(arithmetic, "_CPUINFO", tmp_path / "cpuinfo")
    return lambda text: (tmp_path / "cpuinfo").write_text(text) and None


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n", True),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx avx2\nbugs\t: bf16\n", False),
        ("processor\t: 0\n", None),
    ],
)
def test_what_the_processor_has(processor: Processor, text: str, has: bool | None) -> None:
    processor(text)
    assert has_bfloat16() is has


def test_another_system_or_a_gpu_is_not_judged(
    processor: Processor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert has_bfloat16() is None  # no such file
    processor("flags : avx2")
    monkeypatch.setattr(arithmetic, "_GPUS", (tmp_path,))
    assert has_bfloat16() is None
    assert not advice(BFLOAT16)


def test_only_imitated_arithmetic_is_advised_against(processor: Processor) -> None:
    processor("flags : avx2")
    assert "several times as fast" in advice(BFLOAT16)
    assert not advice(TrainingConfig())
    processor("flags : avx512_bf16")
    assert not advice(BFLOAT16)
