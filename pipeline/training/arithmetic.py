"""Whether this computer has the arithmetic that a training asks for.

This module does not import Keras.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.training.config import TrainingConfig

_CPUINFO = Path("/proc/cpuinfo")
_FLAGS = ("flags", "Features")  # as x86 and ARM call them
_BFLOAT16 = {"amx_bf16", "avx512_bf16", "bf16"}
# NVIDIA's, AMD's, and those that Windows lends its Linux.
_GPUS = (Path("/dev/nvidia0"), Path("/dev/kfd"), Path("/dev/dxg"))


def has_bfloat16() -> bool | None:
    """Whether the processor can multiply in bfloat16.

    Returns:
        `None` where it cannot be told: on other systems than Linux, and where there
        is a GPU, since then the processor does not count.
    """
    if any(path.exists() for path in _GPUS):
        return None
    try:
        # The first of many processors will do: a page asks at each of its runs.
        with _CPUINFO.open() as lines:
            for line in lines:
                name, _, flags = line.partition(":")
                if name.strip() in _FLAGS:
                    return not _BFLOAT16.isdisjoint(flags.split())
    except OSError:
        pass
    return None


def advice(config: TrainingConfig) -> str:
    """What would make this training quicker on this computer; empty if nothing is known to.

    An AMD EPYC with AVX2 alone trained `vgg_deep` at 9.6 images/s in mixed
    bfloat16 and at 56 in float32: each product goes by way of float32.
    """
    if config.precision != "mixed_bfloat16" or has_bfloat16() is not False:
        return ""
    return (
        "This processor has no bfloat16 instructions and imitates them: in float32 the same "
        "training is several times as fast here."
    )
